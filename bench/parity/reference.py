"""What gymnasium's own tasks are and do, as JSON for comparison with iq_learn's (see index.ts).

    python -m venv venv && venv/bin/pip install -r bench/parity/requirements.txt
    venv/bin/python bench/parity/reference.py --states 500 --seed 1 --out reference.json

The file holds, for each task, the compiled model's constants and one environment step from each of many full states:
MuJoCo's integration state (Ant: and where its reward begins) and the action before, observation, reward and
terminated after.
"""

import argparse
import json
import platform
import time

import gymnasium
import mujoco
import numpy as np

TASKS = {
    "hopper": "Hopper",
    "halfcheetah": "HalfCheetah",
    "walker2d": "Walker2d",
    "ant": "Ant",
}
# Ant-v5 observes contact forces, and has no counterpart in iq_learn.
VERSIONS = {"ant": ("v4",)}
STATE = mujoco.mjtState.mjSTATE_INTEGRATION

# The WebAssembly binding cannot read arrays of booleans (jnt_limited, actuator_ctrllimited): steps from states beyond
# the joints' limits and with actions beyond the motors' show those.
MODEL_FIELDS = """
    qpos0 qpos_spring
    body_parentid body_pos body_quat body_ipos body_iquat body_mass body_inertia body_gravcomp
    jnt_type jnt_bodyid jnt_axis jnt_stiffness jnt_range jnt_margin
    dof_armature dof_damping dof_frictionloss
    geom_type geom_bodyid geom_pos geom_quat geom_contype geom_conaffinity geom_condim geom_priority geom_friction
    geom_margin geom_gap geom_solmix geom_solref geom_solimp
    actuator_trntype actuator_gear actuator_ctrlrange actuator_dyntype
    actuator_gainprm actuator_biasprm
""".split()

OPTIONS = """
    timestep integrator cone jacobian solver iterations tolerance ls_iterations ls_tolerance noslip_iterations
    noslip_tolerance impratio density viscosity enableflags
""".split()


def constants(model):
    arrays = {name: np.asarray(getattr(model, name), dtype=float).ravel().tolist() for name in MODEL_FIELDS}
    # Where a slide joint stands has no effect, and the size of an endless floor none but on its picture.
    hinge = model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
    arrays["jnt_pos (hinges)"] = model.jnt_pos[hinge].ravel().tolist()
    # The joints that come before those with motors have no limits whose softness could matter.
    free = model.njnt - model.nu
    arrays["jnt_solref (robot)"] = model.jnt_solref[free:].ravel().tolist()
    arrays["jnt_solimp (robot)"] = model.jnt_solimp[free:].ravel().tolist()
    arrays["geom_size (robot)"] = model.geom_size[1:].ravel().tolist()
    arrays["gravity"] = model.opt.gravity.tolist()
    return {
        "joints": [model.joint(i).name for i in range(model.njnt)],
        "arrays": arrays,
        "options": {name: float(getattr(model.opt, name)) for name in OPTIONS},
    }


def cases(env, count, rng):
    """One step from each of `count` states: along random walks, upright and fallen, half of them disturbed."""
    sim = env.unwrapped
    size = mujoco.mj_stateSize(sim.model, STATE)
    found = []
    while len(found) < count:
        env.reset(seed=int(rng.integers(2**31)))
        strength = rng.uniform(0.1, 1.0)
        for _ in range(int(rng.integers(1, 80))):
            sim.step(rng.uniform(-strength, strength, sim.model.nu))
        if rng.random() < 0.5:
            sim.data.qpos[1:] += rng.normal(0, 0.05, sim.model.nq - 1)
            sim.data.qvel[:] += rng.normal(0, 1.0, sim.model.nv)
        state = np.empty(size)
        mujoco.mj_getState(sim.model, sim.data, state, STATE)
        # Ant's reward begins where the last step left the body's place, which is not where the state says it is.
        place = [float(sim.data.xpos[1][0])] if sim.model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE else []
        # Beyond the limits too: the motors are clamped, the cost is not.
        action = rng.uniform(-1.3, 1.3, sim.model.nu)
        observation, reward, terminated, _, _ = sim.step(action)
        found.append(
            {
                "state": state.tolist() + place,
                "action": action.tolist(),
                "observation": observation.tolist(),
                "reward": float(reward),
                "terminated": bool(terminated),
            }
        )
    return found


def steps_per_second(env, seconds):
    """Environment steps a second under random actions, resets included, without wrappers."""
    sim = env.unwrapped
    rng = np.random.default_rng(0)
    sim.reset(seed=0)
    for _ in range(1000):
        sim.step(rng.uniform(-1, 1, sim.model.nu))
    sim.reset()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            if sim.step(rng.uniform(-1, 1, sim.model.nu))[2]:
                sim.reset()
        steps += 100
    return steps / (time.perf_counter() - start)


def cartpole_cases(count, rng):
    sim = gymnasium.make("CartPole-v1").unwrapped
    found = []
    for _ in range(count):
        sim.reset(seed=0)
        state = rng.uniform([-2.5, -2, -0.22, -2], [2.5, 2, 0.22, 2])
        sim.state = state.copy()
        action = int(rng.integers(2))
        _, reward, terminated, _, _ = sim.step(action)
        found.append(
            {
                "state": state.tolist(),
                "action": [action],
                # Its observation is rounded to float32; its state is not.
                "observation": [float(x) for x in sim.state],
                "reward": float(reward),
                "terminated": bool(terminated),
            }
        )
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--states", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", metavar="TASK", help="print the steps a second of this v4 task, and do no more")
    parser.add_argument("--seconds", type=float, default=1, help="how long to measure the speed")
    parser.add_argument("--out")
    args = parser.parse_args()
    if args.speed is not None:
        print(steps_per_second(gymnasium.make(f"{TASKS[args.speed]}-v4"), args.seconds))
        return
    if args.out is None:
        parser.error("--out FILE is where the reference goes")
    tasks = []
    for name, registered in TASKS.items():
        for version in VERSIONS.get(name, ("v4", "v5")):
            env = gymnasium.make(f"{registered}-{version}")
            rng = np.random.default_rng(args.seed)
            model = constants(env.unwrapped.model)
            tasks.append({"name": name, "version": version, "model": model, "cases": cases(env, args.states, rng)})
    tasks.append({"name": "cartpole", "version": "v1", "cases": cartpole_cases(args.states, np.random.default_rng(args.seed))})
    reference = {
        "versions": {
            "gymnasium": gymnasium.__version__,
            "mujoco": mujoco.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "seed": args.seed,
        "tasks": tasks,
    }
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(reference, file)
        file.write("\n")


if __name__ == "__main__":
    main()
