"""What the peers share: sizes, threads, batches, and the JSON-lines protocol bench/update drives them with.

A peer started without --parity prints one line {"ready": true, "versions": {...}} and then answers each line
{"block": n} with {"ms": [n times]}: the milliseconds of n updates, one after the other. Closing stdin ends it.
"""

import argparse
import base64
import json
import os
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    observation: int = 11
    action: int = 3
    hidden: tuple[int, ...] = (256, 256)
    critics: int = 2
    batch: int = 256  # rows of policy data; as many expert rows are added
    gamma: float = 0.99
    tau: float = 0.005
    temperature: float = 0.01
    reg_mult: float = 0.5
    log_std: tuple[float, float] = (-5.0, 2.0)
    actor_learning_rate: float = 3e-5
    critic_learning_rate: float = 3e-4
    beta1: float = 0.9
    layer_norm: bool = False  # in the critics, before every ReLU, without scale and shift
    value_term: str = "value"  # V(s) - y over all rows, or "value_policy": over the policy's rows
    absorbing: str = "zero"  # the value after a true terminal, or "learned": a state that the critics know by one entry
    averaging: float = 0.0  # rate of the actor's running average; 0: none is kept
    cloning: float = 0.0  # weight of the squared error of the actor's mean action in the expert's rows

    @property
    def valued_rows(self) -> int:
        """The first rows of a batch, whose V(s) the value term needs."""
        return self.batch if self.value_term == "value_policy" else 2 * self.batch

    @property
    def value_bound(self) -> float:
        """The bound on |Q| that the mix regulariser implies: 1/(c(1 - gamma))."""
        return 1 / (self.reg_mult * (1 - self.gamma))

    @property
    def actor_widths(self) -> list[int]:
        return [self.observation, *self.hidden, 2 * self.action]

    @property
    def critic_widths(self) -> list[int]:
        return [self.observation + self.action + (self.absorbing == "learned"), *self.hidden, 1]


RECIPE = {
    "critics": 1,
    "batch": 128,
    "temperature": 1e-3,
    "reg_mult": 10.0,
    "actor_learning_rate": 3e-4,
    "beta1": 0.5,
    "layer_norm": True,
    "value_term": "value_policy",
    "absorbing": "learned",
    "averaging": 1e-3,
}
"""What this package's defaults (docs/decisions/0015) set otherwise than the published algorithm."""
LAYER_NORM_EPSILON = 1e-5


def arguments(description: str, variants: tuple[str, ...] = (), parity: bool = False) -> argparse.Namespace:
    """The command line of a peer; holds the process to --threads cores before any library counts them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--critics", type=int, choices=(1, 2), default=2)
    parser.add_argument("--batch", type=int, default=Settings.batch, help="rows of policy data, and of expert data")
    parser.add_argument("--width", type=int, default=Settings.hidden[0], help="width of both hidden layers")
    parser.add_argument("--recipe", action="store_true", help="the update of this package's defaults: RECIPE")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where tensors are")
    if variants:
        parser.add_argument("--variant", choices=variants, default=variants[0])
    if parity:
        parser.add_argument("--parity", metavar="FILE", help="run the updates of FILE (see parity) instead")
        parser.add_argument("--out", metavar="FILE", help="where --parity writes its results (default: stdout)")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(options.threads))
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of a peer that is timed."""
    given = {"critics": options.critics, "batch": options.batch}
    return Settings(**({**RECIPE, "batch": options.batch} if options.recipe else given), hidden=(options.width, options.width))


BATCH_NAMES = ("observation", "action", "next_observation", "terminated", "absorbing")
NOISE_NAMES = ("noise", "next_noise")


def random_batches(settings: Settings, count: int = 16, seed: int = 0) -> list[dict]:
    """Normalised-looking transitions, policy rows first, then expert rows."""
    import numpy as np

    random = np.random.default_rng(seed)
    rows = 2 * settings.batch
    shapes = {
        "observation": settings.observation,
        "action": settings.action,
        "next_observation": settings.observation,
        "terminated": 1,
        "absorbing": 1,  # 1 for rows that lead from the absorbing state to itself
    }
    batches = []
    for _ in range(count):
        batch = {name: random.standard_normal((rows, width)).astype(np.float32) for name, width in shapes.items()}
        batch["action"] = np.tanh(batch["action"])
        for name in ("terminated", "absorbing"):
            batch[name] = (batch[name] > 2.3).astype(np.float32)
        batches.append(batch)
    return batches


def decode(text: str, shape: tuple[int, ...]):
    import numpy as np

    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(shape).copy()


def encode(array) -> str:
    import numpy as np

    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def split_flat(flat, widths: list[int], stack: int = 0) -> list:
    """flat -> [weights, biases, weights, ...]: each layer's weights [in, out] then biases [1, out], after a leading
    axis `stack` where there is one."""
    lead = (stack,) if stack else ()
    parts, offset = [], 0
    for inputs, outputs in zip(widths, widths[1:]):
        for shape in ((*lead, inputs, outputs), (*lead, 1, outputs)):
            size = 1
            for n in shape:
                size *= n
            parts.append(flat[offset : offset + size].reshape(shape))
            offset += size
    assert offset == len(flat), f"{len(flat)} parameters given, {offset} expected"
    return parts


def join_flat(parts: list):
    import numpy as np

    return np.concatenate([np.asarray(part).reshape(-1) for part in parts])


def parity(path: str, out: str | None, make) -> None:
    """Runs the updates that FILE describes and writes parameters and losses after each.

    FILE (JSON; arrays are base64 of little-endian float32, row-major): settings (fields of Settings), initial
    {actor, critic, target} (flat vectors of split_flat), updates [{observation, action, next_observation,
    terminated, absorbing, noise, next_noise}]; the noise of the sample in s serves V(s) and the actor alike. Result: updates
    [{actor, critic, target, critic_loss, actor_loss}]. `make(settings, initial)` gives an object with
    update(batch, noise) -> (critic_loss, actor_loss) and flat() -> {actor, critic, target}.
    """
    with open(path, encoding="utf8") as file:
        given = json.load(file)
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in given["settings"].items()}
    settings = Settings(**fields)
    rows = 2 * settings.batch
    width = {"observation": settings.observation, "next_observation": settings.observation, "terminated": 1, "absorbing": 1}
    learner = make(settings, {name: decode(text, (-1,)) for name, text in given["initial"].items()})
    results = []
    for update in given["updates"]:
        batch = {name: decode(update[name], (rows, width.get(name, settings.action))) for name in BATCH_NAMES}
        noise = {name: decode(update[name], (rows, settings.action)) for name in NOISE_NAMES}
        critic_loss, actor_loss = learner.update(batch, noise)
        flat = {name: encode(vector) for name, vector in learner.flat().items()}
        results.append({**flat, "critic_loss": float(critic_loss), "actor_loss": float(actor_loss)})
    text = json.dumps({"updates": results})
    if out is None:
        print(text)
    else:
        with open(out, "w", encoding="utf8") as file:
            file.write(text)


def serve(versions: dict[str, str], run_block) -> None:
    """Answers blocks until stdin closes. run_block(n) gives n milliseconds, warm-up being done before."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    print(json.dumps({"ready": True, "versions": versions}), file=answers)
    for line in sys.stdin:
        print(json.dumps({"ms": run_block(json.loads(line)["block"])}), file=answers)


def timed(update, n: int) -> list[float]:
    times = []
    for i in range(n):
        start = time.perf_counter()
        update(i)
        times.append((time.perf_counter() - start) * 1e3)
    return times
