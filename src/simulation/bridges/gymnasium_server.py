"""Serves gymnasium environments to iq_learn over stdin and stdout.

Usage: gymnasium_server.py ID COUNT OPTIONS, where OPTIONS is a JSON object of keyword arguments for gymnasium.make.

A message in either direction is two little-endian uint32 (the sizes of a JSON header and of a binary payload), the
header, and the payload. The first message describes the spaces. After that every request gets one answer:
  {"op": "reset", "index": i, "seed": s}    payload of the answer: the observation
  {"op": "step"}, payload: float64 actions [COUNT, a] (discrete: [COUNT, 1], the index from 0)
      payload of the answer: for each environment reward (float64), terminated and truncated (one byte each), observation
  {"op": "snapshot", "index": i}            payload of the answer: float64, the state of a MuJoCo environment
  {"op": "restore", "index": i}, payload: such a state; the environment has to be reset before it
  {"op": "close"}
An observation is the bytes of its blocks, one after the other. An answer with "error" has no payload.
"""

import json
import os
import struct
import sys
import threading
import time


def watch_parent():
    """Ends this process when its parent is gone, even in the middle of a step."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class Channel:
    def __init__(self):
        # What an environment prints goes to stderr, so that it cannot damage the messages.
        self.output = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self.input = sys.stdin.buffer

    def read(self):
        sizes = self.input.read(8)
        if len(sizes) < 8:
            return None, b""
        header, payload = struct.unpack("<II", sizes)
        return json.loads(self.input.read(header)), self.input.read(payload)

    def write(self, header, payload=b""):
        text = json.dumps(header).encode()
        self.output.write(struct.pack("<II", len(text), len(payload)) + text + payload)
        self.output.flush()


class Unsupported(Exception):
    pass


def block_of(name, space, spaces, np):
    """How one space of an observation travels: its description, and the function that makes its bytes."""
    if isinstance(space, spaces.Discrete):
        def one_hot(value):
            vector = np.zeros(int(space.n), np.float32)
            vector[int(value) - int(space.start)] = 1
            return vector.tobytes()
        return {"name": name, "shape": [int(space.n)], "dtype": "float32"}, one_hot
    if not isinstance(space, spaces.Box):
        raise Unsupported(f"an observation of the space {space}")
    shape = [int(n) for n in space.shape] or [1]
    image = space.dtype == np.uint8 and len(shape) > 1
    dtype = np.uint8 if image else np.float32
    return (
        {"name": name, "shape": shape, "dtype": "uint8" if image else "float32"},
        lambda value: np.ascontiguousarray(value, dtype).tobytes(),
    )


def observation_of(space, spaces, np):
    parts = sorted(space.spaces.items()) if isinstance(space, spaces.Dict) else [("state", space)]
    blocks = [block_of(name, part, spaces, np) for name, part in parts]
    if isinstance(space, spaces.Dict):
        encode = lambda value: b"".join(f(value[b["name"]]) for b, f in blocks)
    else:
        encode = blocks[0][1]
    return [block for block, _ in blocks], encode


def action_of(space, spaces, np):
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}, 1, lambda row: int(row[0]) + int(space.start)
    if isinstance(space, spaces.Box):
        # JSON has no infinity.
        limit = lambda values: [float(x) if np.isfinite(x) else None for x in np.ravel(values)]
        size = int(np.prod(space.shape))
        facts = {"kind": "box", "low": limit(space.low), "high": limit(space.high)}
        return facts, size, lambda row: row.reshape(space.shape).astype(space.dtype)
    raise Unsupported(f"actions of the space {space}")


def snapshots_of(environment, np):
    """How a MuJoCo environment is saved between two steps and restored; None for any other environment."""
    inner = environment.unwrapped
    try:
        import mujoco
    except ImportError:
        return None
    if not isinstance(getattr(inner, "data", None), mujoco.MjData):
        return None
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    size = mujoco.mj_stateSize(inner.model, kind)
    # The wrapper that counts the steps until an episode is truncated.
    limit = environment
    while limit is not inner and not hasattr(limit, "_elapsed_steps"):
        limit = limit.env

    def save():
        state = np.empty(size + 1)
        mujoco.mj_getState(inner.model, inner.data, state[:size], kind)
        state[size] = getattr(limit, "_elapsed_steps", None) or 0
        return state.astype("<f8").tobytes()

    def restore(payload):
        state = np.frombuffer(payload, "<f8").copy()
        if state.size != size + 1:
            raise ValueError(f"a state of {state.size} numbers; expected {size + 1}")
        mujoco.mj_setState(inner.model, inner.data, state[:size], kind)
        mujoco.mj_forward(inner.model, inner.data)
        # What the solver starts from is part of the state, and forward has changed it.
        mujoco.mj_setState(inner.model, inner.data, state[:size], kind)
        if hasattr(limit, "_elapsed_steps"):
            limit._elapsed_steps = int(state[size])

    return save, restore


def error_of(kind, problem):
    return {"error": {"kind": kind, "message": f"{type(problem).__name__}: {problem}"}}


def serve(channel, name, count, options):
    try:
        import gymnasium
        import numpy as np
    except ImportError as problem:
        return channel.write(error_of("package", problem))
    try:
        environments = [gymnasium.make(name, **options) for _ in range(count)]
        first = environments[0]
        blocks, encode = observation_of(first.observation_space, gymnasium.spaces, np)
        action, size, decode = action_of(first.action_space, gymnasium.spaces, np)
    except Unsupported as problem:
        return channel.write(error_of("unsupported", problem))
    except gymnasium.error.DependencyNotInstalled as problem:
        return channel.write(error_of("package", problem))
    except (gymnasium.error.UnregisteredEnv, ModuleNotFoundError) as problem:
        return channel.write(error_of("unknown", problem))
    except Exception as problem:
        return channel.write(error_of("make", problem))
    snapshots = [snapshots_of(environment, np) for environment in environments]
    channel.write({
        "blocks": blocks,
        "action": action,
        "maxSteps": first.spec and first.spec.max_episode_steps,
        "snapshots": snapshots[0] is not None,
    })
    while True:
        request, payload = channel.read()
        if request is None or request["op"] == "close":
            break
        try:
            if request["op"] == "reset":
                observation, _ = environments[request["index"]].reset(seed=request["seed"])
                channel.write({}, encode(observation))
                continue
            if request["op"] == "snapshot":
                channel.write({}, snapshots[request["index"]][0]())
                continue
            if request["op"] == "restore":
                snapshots[request["index"]][1](payload)
                channel.write({})
                continue
            actions = np.frombuffer(payload, "<f8").reshape(count, size)
            answer = b""
            for environment, row in zip(environments, actions):
                observation, reward, terminated, truncated, _ = environment.step(decode(row))
                answer += struct.pack("<dBB", float(reward), bool(terminated), bool(truncated)) + encode(observation)
            channel.write({}, answer)
        except Exception as problem:
            channel.write(error_of("run", problem))
    for environment in environments:
        environment.close()


if __name__ == "__main__":
    threading.Thread(target=watch_parent, daemon=True).start()
    serve(Channel(), sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
