"""Milliseconds per gradient step of a SAC with stable-baselines3's interface."""

import time

import peer

STEPS_A_CALL = 10  # train() is given several steps a call, as both libraries are meant to be driven


def serve(algorithm, versions, options, **keywords) -> None:
    import gymnasium
    import numpy as np
    from stable_baselines3.common.logger import Logger

    settings = peer.Settings(critics=options.critics)

    class Sizes(gymnasium.Env):
        """Only its spaces count: no step is ever taken."""

        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (settings.observation,), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (settings.action,), np.float32)

        def reset(self, *, seed=None, options=None):
            return np.zeros(settings.observation, np.float32), {}

    policy = {"net_arch": list(settings.hidden), "n_critics": settings.critics}
    keywords |= {"buffer_size": 20_000, "batch_size": settings.batch, "policy_kwargs": policy, "seed": 0}
    model = algorithm("MlpPolicy", Sizes(), **keywords)
    model.set_logger(Logger(folder=None, output_formats=[]))
    random = np.random.default_rng(0)
    for _ in range(20_000):
        observation, next_observation = random.standard_normal((2, 1, settings.observation)).astype(np.float32)
        action = np.tanh(random.standard_normal((1, settings.action))).astype(np.float32)
        reward, terminated = random.standard_normal(1), random.random(1) < 0.01
        model.replay_buffer.add(observation, next_observation, action, reward, terminated, [{}])

    def train() -> float:
        start = time.perf_counter()
        model.train(gradient_steps=STEPS_A_CALL, batch_size=settings.batch)
        return (time.perf_counter() - start) * 1e3 / STEPS_A_CALL

    for _ in range(3):
        train()
    peer.serve(versions, lambda n: [train() for _ in range(max(1, n // STEPS_A_CALL))])
