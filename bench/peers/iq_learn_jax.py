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

BETA2, EPSILON = 0.999, 1e-8


def layer_norm(x):
    centred = x - jnp.mean(x, -1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(jnp.square(centred), -1, keepdims=True) + peer.LAYER_NORM_EPSILON)


def perceptron(parts, x, normalised=False):
    for i in range(0, len(parts), 2):
        x = x @ parts[i] + parts[i + 1]
        if i + 2 < len(parts):
            x = jax.nn.relu(layer_norm(x) if normalised else x)
    return x


def action_values(settings, parts, entries, action):
    """[critics, rows, 1]"""
    x = jnp.concatenate([entries, action], -1)
    return jax.vmap(partial(perceptron, normalised=settings.layer_norm), in_axes=(0, None))(parts, x)


def sample(settings, actor, observation, noise):
    mean, raw = jnp.split(perceptron(actor, observation), 2, -1)
    low, high = settings.log_std
    log_std = low + 0.5 * (high - low) * (jnp.tanh(raw) + 1)
    u = mean + jnp.exp(log_std) * noise
    gaussian = -0.5 * jnp.square(noise) - log_std - 0.5 * math.log(2 * math.pi)
    squashing = 2 * (math.log(2) - u - jax.nn.softplus(-2 * u))
    return jnp.tanh(u), jnp.sum(gaussian - squashing, -1, keepdims=True), jnp.tanh(mean)


def adam(parameters, moments, gradients, t, learning_rate, beta1):
    step = learning_rate * jnp.sqrt(1 - BETA2**t) / (1 - beta1**t)
    epsilon = EPSILON * jnp.sqrt(1 - BETA2**t)
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, moments[0], gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moments[1], gradients)
    new = jax.tree.map(lambda p, m, v: p - step * m / (jnp.sqrt(v) + epsilon), parameters, m, v)
    return new, (m, v)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def update(settings, state, batch, noise):
    s = settings
    observation, action, next_observation, terminated, absorbing = (batch[k] for k in peer.BATCH_NAMES)
    learned = s.absorbing == "learned"
    if learned:
        # Critics see the absorbing state by an entry of its own, in which all others, the action and log pi are 0.
        observation, next_observation = observation * (1 - absorbing), next_observation * (1 - terminated)
        entries, next_entries = (jnp.concatenate(parts, -1) for parts in ((observation, absorbing), (next_observation, terminated)))
    else:
        entries, next_entries = observation, next_observation
    rows, valued = 2 * s.batch, s.valued_rows
    key = state["key"]
    if noise is None:
        key, draw = jax.random.split(key)
        now, next_ = jax.random.normal(draw, (2, rows, s.action))
    else:
        now, next_ = (noise[k] for k in peer.NOISE_NAMES)
    t = state["t"] + 1.0

    def live_sample(actor, observation, noise, gone):
        parts = sample(s, actor, observation, noise)
        return tuple(part * (1 - gone) for part in parts) if learned else parts

    next_action, next_log_probability, _ = live_sample(state["actor"], next_observation, next_, terminated)
    next_q = jnp.min(action_values(s, state["target"], next_entries, next_action), 0)
    next_v = jnp.clip(next_q - s.temperature * next_log_probability, -s.value_bound, s.value_bound)
    y = s.gamma * next_v if learned else s.gamma * (1 - terminated) * next_v
    # One sample a state serves V(s) and the actor's step.
    (policy_action, log_probability, mean_action), pull_back = jax.vjp(
        lambda actor: live_sample(actor, observation, now, absorbing), state["actor"]
    )

    def critic_loss_of(critic):
        both = action_values(
            s, critic, jnp.concatenate([entries, entries[:valued]]), jnp.concatenate([action, policy_action[:valued]])
        )
        r = both[:, :rows] - y
        v = both[:, rows:] - s.temperature * log_probability[:valued]
        expert_reward = jnp.mean(r[:, s.batch :], (1, 2))
        return jnp.sum(-expert_reward + jnp.mean(v - y[:valued], (1, 2)) + s.reg_mult * jnp.mean(r * r, (1, 2)))

    critic_loss, critic_gradient = jax.value_and_grad(critic_loss_of)(state["critic"])
    critic, critic_moments = adam(state["critic"], state["critic_moments"], critic_gradient, t, s.critic_learning_rate, s.beta1)

    live = 1 - absorbing if learned else jnp.ones_like(absorbing)

    def mean_of(x, live):
        return jnp.sum(x * live) / jnp.maximum(jnp.sum(live), 1)

    def actor_loss_of(own_action, log_probability, mean_action):
        q = jnp.min(action_values(s, critic, entries, own_action), 0)
        loss = mean_of(s.temperature * log_probability - q, live)
        if s.cloning > 0:
            error = jnp.sum(jnp.square(mean_action - action)[s.batch :], -1, keepdims=True)
            loss = loss + s.cloning * mean_of(error, live[s.batch :])
        return loss

    actor_loss, sample_gradient = jax.value_and_grad(actor_loss_of, (0, 1, 2))(policy_action, log_probability, mean_action)
    (actor_gradient,) = pull_back(sample_gradient)
    actor, actor_moments = adam(state["actor"], state["actor_moments"], actor_gradient, t, s.actor_learning_rate, s.beta1)
    target = jax.tree.map(lambda old, new: old + s.tau * (new - old), state["target"], critic)
    average = jax.tree.map(lambda old, new: old + s.averaging * (new - old), state["average"], actor) if s.averaging > 0 else None
    new_state = {
        "actor": actor,
        "critic": critic,
        "target": target,
        "average": average,
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
            "average": [part.copy() for part in actor] if settings.averaging > 0 else None,
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
