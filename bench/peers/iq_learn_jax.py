"""One IQ-Learn SAC update in JAX, written from the published formulas: jitted whole, state donated.

jit:  one update a call.
scan: 32 updates a call, on batches that are on the device already; each counts as a 32nd of the call.
"""

import math
import os
from functools import partial

import peer

options = peer.arguments(__doc__, variants=("jit", "scan"), parity=True)
os.environ["JAX_PLATFORMS"] = options.device

import jax
import jax.numpy as jnp
import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def perceptron(parts, x):
    for i in range(0, len(parts), 2):
        x = x @ parts[i] + parts[i + 1]
        if i + 2 < len(parts):
            x = jax.nn.relu(x)
    return x


def action_values(parts, observation, action):
    """[critics, rows, 1]"""
    x = jnp.concatenate([observation, action], -1)
    return jax.vmap(perceptron, in_axes=(0, None))(parts, x)


def sample(settings, actor, observation, noise):
    mean, raw = jnp.split(perceptron(actor, observation), 2, -1)
    low, high = settings.log_std
    log_std = low + 0.5 * (high - low) * (jnp.tanh(raw) + 1)
    u = mean + jnp.exp(log_std) * noise
    gaussian = -0.5 * jnp.square(noise) - log_std - 0.5 * math.log(2 * math.pi)
    squashing = 2 * (math.log(2) - u - jax.nn.softplus(-2 * u))
    return jnp.tanh(u), jnp.sum(gaussian - squashing, -1, keepdims=True)


def adam(parameters, moments, gradients, t, learning_rate):
    step = learning_rate * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
    epsilon = EPSILON * jnp.sqrt(1 - BETA2**t)
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, moments[0], gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moments[1], gradients)
    new = jax.tree.map(lambda p, m, v: p - step * m / (jnp.sqrt(v) + epsilon), parameters, m, v)
    return new, (m, v)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def update(settings, state, batch, noise):
    s = settings
    observation, action, next_observation, terminated = (batch[k] for k in peer.BATCH_NAMES)
    rows = 2 * s.batch
    key = state["key"]
    if noise is None:
        key, draw = jax.random.split(key)
        now, next_ = jax.random.normal(draw, (2, rows, s.action))
    else:
        now, next_ = (noise[k] for k in peer.NOISE_NAMES)
    t = state["t"] + 1.0

    next_action, next_log_probability = sample(s, state["actor"], next_observation, next_)
    next_q = jnp.min(action_values(state["target"], next_observation, next_action), 0)
    next_v = jnp.clip(next_q - s.temperature * next_log_probability, -s.value_bound, s.value_bound)
    y = s.gamma * (1 - terminated) * next_v
    # One sample a state serves V(s) and the actor's step.
    (policy_action, log_probability), pull_back = jax.vjp(
        lambda actor: sample(s, actor, observation, now), state["actor"]
    )

    def critic_loss_of(critic):
        both = action_values(
            critic, jnp.concatenate([observation, observation]), jnp.concatenate([action, policy_action])
        )
        r = both[:, :rows] - y
        v = both[:, rows:] - s.temperature * log_probability
        expert_reward = jnp.mean(r[:, s.batch :], (1, 2))
        return jnp.sum(-expert_reward + jnp.mean(v - y, (1, 2)) + s.reg_mult * jnp.mean(r * r, (1, 2)))

    critic_loss, critic_gradient = jax.value_and_grad(critic_loss_of)(state["critic"])
    critic, critic_moments = adam(state["critic"], state["critic_moments"], critic_gradient, t, s.critic_learning_rate)

    def actor_loss_of(action, log_probability):
        q = jnp.min(action_values(critic, observation, action), 0)
        return jnp.mean(s.temperature * log_probability - q)

    actor_loss, sample_gradient = jax.value_and_grad(actor_loss_of, (0, 1))(policy_action, log_probability)
    (actor_gradient,) = pull_back(sample_gradient)
    actor, actor_moments = adam(state["actor"], state["actor_moments"], actor_gradient, t, s.actor_learning_rate)
    target = jax.tree.map(lambda old, new: old + s.tau * (new - old), state["target"], critic)
    new_state = {
        "actor": actor,
        "critic": critic,
        "target": target,
        "actor_moments": actor_moments,
        "critic_moments": critic_moments,
        "t": t,
        "key": key,
    }
    return new_state, critic_loss, actor_loss


SCAN = 32


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def scan(settings, state, batches):
    """Updates on stacked batches, one after the other."""

    def step(state, batch):
        state, *losses = update.__wrapped__(settings, state, batch, None)
        return state, losses

    return jax.lax.scan(step, state, batches)


class Learner:
    def __init__(self, settings: peer.Settings, initial=None):
        self.settings = settings
        random = np.random.default_rng(0)

        def parts(name, widths, stack):
            if initial is not None:
                return [jnp.array(part) for part in peer.split_flat(initial[name], widths, stack)]
            lead = (stack,) if stack else ()
            shapes = [(i, lead + shape) for i, o in zip(widths, widths[1:]) for shape in ((i, o), (1, o))]
            return [jnp.array(random.uniform(-(i**-0.5), i**-0.5, shape), jnp.float32) for i, shape in shapes]

        actor = parts("actor", settings.actor_widths, 0)
        critic = parts("critic", settings.critic_widths, settings.critics)
        if initial is None:
            target = [part.copy() for part in critic]
        else:
            target = parts("target", settings.critic_widths, settings.critics)
        zeros = partial(jax.tree.map, jnp.zeros_like)
        self.state = {
            "actor": actor,
            "critic": critic,
            "target": target,
            "actor_moments": (zeros(actor), zeros(actor)),
            "critic_moments": (zeros(critic), zeros(critic)),
            "t": jnp.zeros(()),
            "key": jax.random.key(0),
        }

    def update(self, batch, noise=None):
        self.state, critic_loss, actor_loss = update(self.settings, self.state, batch, noise)
        jax.block_until_ready(self.state)
        return critic_loss.item(), actor_loss.item()

    def flat(self):
        return {name: peer.join_flat(self.state[name]) for name in ("actor", "critic", "target")}


def main() -> None:
    if options.parity is not None:
        peer.parity(options.parity, options.out, Learner)
        return
    settings = peer.settings_of(options)
    learner = Learner(settings)
    batches = jax.device_put(peer.random_batches(settings))
    versions = {"jax": jax.__version__}
    if options.variant == "scan":
        stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *(batches * SCAN)[:SCAN])

        def run(_):
            learner.state, losses = scan(settings, learner.state, stacked)
            jax.block_until_ready((learner.state, losses))

        for i in range(3):
            run(i)
        peer.serve(versions, lambda n: [ms / SCAN for ms in peer.timed(run, n)])
        return
    for i in range(20):
        learner.update(batches[i % len(batches)])
    peer.serve(versions, lambda n: peer.timed(lambda i: learner.update(batches[i % len(batches)]), n))


if __name__ == "__main__":
    main()
