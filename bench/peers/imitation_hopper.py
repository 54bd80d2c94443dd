"""The algorithms of `imitation` (PyPI, 1.0.1) on the hopper, from the one demonstration that the runs of iq_learn have.

  python bench/peers/imitation_hopper.py bc|gail|airl|gail-sac|sqil-sac --data hopper-v4.npz --json FILE

Environment: see "imitation" in docs/benchmarks.md. Algorithms and settings are those of imitation's own documentation
(its quick start for GAIL and AIRL with PPO), with gamma 0.99; those with SAC take its defaults in stable-baselines3. The
policy acts deterministically in gymnasium's Hopper-v4: five episodes at every point of the curve, fifty others at the
end. Seconds are of learning alone. Prints a line a point, and writes all of it as JSON.
"""

import argparse
import json
import time

import gymnasium
import numpy as np
import torch
from imitation.algorithms import bc
from imitation.algorithms.adversarial.airl import AIRL
from imitation.algorithms.adversarial.gail import GAIL
from imitation.algorithms.sqil import SQIL
from imitation.data.types import Trajectory
from imitation.data.wrappers import RolloutInfoWrapper
from imitation.rewards.reward_nets import BasicRewardNet, BasicShapedRewardNet
from imitation.util.networks import RunningNorm
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv

ENVIRONMENT = "Hopper-v4"
FINAL_STARTS = 5_000_000
CURVE_STARTS = 4_000_000


def demonstration(path):
    """The first episode of the file as imitation's trajectory, and the mean return of all episodes."""
    data = np.load(path)
    rows = np.flatnonzero(data["episode"] == data["episode"][0])
    observations = np.concatenate([data["observation"][rows], data["next_observation"][rows[-1:]]])
    terminal = bool(data["terminated"][rows[-1]])
    trajectory = Trajectory(obs=observations, acts=data["action"][rows], infos=None, terminal=terminal)
    return trajectory, float(np.mean(data["episode_return"]))


def evaluate(policy, starts):
    """Returns and terminal ends of the deterministic policy, one episode from each start."""
    environment = gymnasium.make(ENVIRONMENT)
    returns, falls = [], 0
    for seed in starts:
        observation, _ = environment.reset(seed=seed)
        total, terminated, truncated = 0.0, False, False
        while not (terminated or truncated):
            action, _ = policy.predict(observation, deterministic=True)
            observation, reward, terminated, truncated, _ = environment.step(action)
            total += float(reward)
        returns.append(total)
        falls += terminated
    environment.close()
    return returns, falls


def made(name, trajectory, seed):
    """The policy that learns, and what makes it learn for so many more steps (for bc: epochs)."""
    if name == "bc":
        space = gymnasium.make(ENVIRONMENT)
        trainer = bc.BC(
            observation_space=space.observation_space,
            action_space=space.action_space,
            demonstrations=[trajectory],
            rng=np.random.default_rng(seed),
        )
        return (lambda: trainer.policy), lambda epochs: trainer.train(n_epochs=epochs, progress_bar=False)
    with_sac = name.endswith("-sac")
    count = 1 if with_sac else 8
    environments = DummyVecEnv(
        [lambda: RolloutInfoWrapper(gymnasium.make(ENVIRONMENT)) for _ in range(count)],
    )
    environments.seed(seed)
    if name == "sqil-sac":
        trainer = SQIL(
            venv=environments,
            demonstrations=[trajectory],
            policy="MlpPolicy",
            rl_algo_class=SAC,
            rl_kwargs={"seed": seed},
        )
        first = [True]

        def learn(steps):
            trainer.rl_algo.learn(steps, reset_num_timesteps=first[0])
            first[0] = False

        return (lambda: trainer.rl_algo.policy), learn
    if with_sac:
        generator = SAC("MlpPolicy", environments, seed=seed)
    else:
        generator = PPO(
            "MlpPolicy", environments, batch_size=64, ent_coef=0.0, learning_rate=4e-4, gamma=0.99, n_epochs=5, seed=seed
        )
    make = AIRL if name == "airl" else GAIL
    network = BasicShapedRewardNet if name == "airl" else BasicRewardNet
    trainer = make(
        demonstrations=[trajectory],
        demo_batch_size=512 if not with_sac else 256,
        gen_replay_buffer_capacity=512 if not with_sac else 100_000,
        n_disc_updates_per_round=8 if not with_sac else 1,
        gen_train_timesteps=None if not with_sac else 64,
        venv=environments,
        gen_algo=generator,
        reward_net=network(
            observation_space=environments.observation_space,
            action_space=environments.action_space,
            normalize_input_layer=RunningNorm,
        ),
        allow_variable_horizon=True,
    )
    return (lambda: generator.policy), trainer.train


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithm", choices=["bc", "gail", "airl", "gail-sac", "sqil-sac"])
    parser.add_argument("--data", required=True, help="demonstrations, hopper-v4.npz")
    parser.add_argument("--steps", type=int, default=1_000_000, help="environment steps (bc: epochs)")
    parser.add_argument("--every", type=int, default=50_000, help="steps between points of the curve")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", required=True, help="file for the figures")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    trajectory, demonstrator = demonstration(options.data)
    policy, learn = made(options.algorithm, trajectory, options.seed)
    curve, seconds = [], 0.0
    for done in range(options.every, options.steps + 1, options.every):
        began = time.perf_counter()
        learn(options.every)
        seconds += time.perf_counter() - began
        returns, falls = evaluate(policy(), range(CURVE_STARTS, CURVE_STARTS + 5))
        fraction = float(np.mean(returns)) / demonstrator
        curve.append({"steps": done, "seconds": round(seconds, 1), "fraction": round(fraction, 4)})
        print(f"{options.algorithm}: step {done}, {seconds:.0f} s: {fraction:.3f} of the demonstrator, {falls} falls of 5", flush=True)
    returns, falls = evaluate(policy(), range(FINAL_STARTS, FINAL_STARTS + 50))
    reached = next((point for point in curve if point["fraction"] >= 0.95), None)
    result = {
        "algorithm": options.algorithm,
        "command": f"python bench/peers/imitation_hopper.py {options.algorithm} --steps {options.steps} --every {options.every} --seed {options.seed}",
        "demonstrator": demonstrator,
        "last": {
            "fraction": round(float(np.mean(returns)) / demonstrator, 4),
            "lowest": round(min(returns) / demonstrator, 4),
            "falls": falls,
            "starts": len(returns),
        },
        "reached_95": reached,
        "seconds": round(seconds, 1),
        "curve": curve,
    }
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
