"""One IQ-Learn SAC update in eager PyTorch, written from the published formulas.

usual: modules, one forward a critic, torch.distributions, Adam as it comes: what most repositories run.
lean:  the same mathematics with stacked critics, fused Adam, one sample a state for critic and actor alike, and no
       gradient that is thrown away.
graph: the lean update captured in one CUDA graph, the losses read after each replay. Needs --device cuda.
"""

import math

import peer

options = peer.arguments(__doc__, variants=("usual", "lean", "graph"), parity=True)

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(options.threads)
torch.backends.cuda.matmul.allow_tf32 = False


def perceptron(widths: list[int], layer_norm: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers.append(nn.Linear(inputs, outputs))
        if i + 2 < len(widths):
            if layer_norm:
                layers.append(nn.LayerNorm(outputs, eps=peer.LAYER_NORM_EPSILON, elementwise_affine=False))
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def rows_of(settings: peer.Settings, batch):
    """Observation, entries of the state, action and continuation of a batch, the next observation and its entries, and
    which rows count for the actor. The entries are what critics see: where the absorbing state is learned, its own."""
    observation, action, next_observation, terminated, absorbing = (torch.as_tensor(batch[k]) for k in peer.BATCH_NAMES)
    if settings.absorbing != "learned":
        return observation, observation, action, 1 - terminated, next_observation, next_observation, None
    observation, next_observation = observation * (1 - absorbing), next_observation * (1 - terminated)
    entries, next_entries = torch.cat([observation, absorbing], -1), torch.cat([next_observation, terminated], -1)
    return observation, entries, action, None, next_observation, next_entries, 1 - absorbing


def live_sample(sample, live):
    """In the absorbing state the action and its log-probability are 0."""
    return sample if live is None else (*(part * live for part in sample[:2]), sample[2])


def mean_of(x, live):
    return x.mean() if live is None else (x * live).sum() / live.sum().clamp(min=1)


def cloning_loss(s, mean, action, live):
    """The squared error of the mean action tanh(mean) in the expert's rows, by its weight."""
    error = (torch.tanh(mean) - action)[s.batch :].square().sum(-1, keepdim=True)
    return s.cloning * mean_of(error, None if live is None else live[s.batch :])


class Actor(nn.Module):
    def __init__(self, settings: peer.Settings):
        super().__init__()
        self.net = perceptron(settings.actor_widths)
        self.low, self.high = settings.log_std

    def sample(self, observation, noise=None):
        """A reparameterised action tanh(u), its log-probability, and the mean before tanh."""
        mean, log_std = self.net(observation).chunk(2, dim=-1)
        log_std = self.low + 0.5 * (self.high - self.low) * (torch.tanh(log_std) + 1)
        normal = torch.distributions.Normal(mean, log_std.exp())
        u = normal.rsample() if noise is None else mean + normal.stddev * noise
        # log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u))
        log_probability = normal.log_prob(u) - 2 * (math.log(2) - u - F.softplus(-2 * u))
        return torch.tanh(u), log_probability.sum(-1, keepdim=True), mean


class Critic(nn.Module):
    def __init__(self, settings: peer.Settings):
        super().__init__()
        self.net = perceptron(settings.critic_widths, settings.layer_norm)

    def forward(self, entries, action):
        return self.net(torch.cat([entries, action], dim=-1))


def load(net: nn.Sequential, parts) -> None:
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for i, layer in enumerate(layers):
            layer.weight.copy_(torch.as_tensor(parts[2 * i]).T)
            layer.bias.copy_(torch.as_tensor(parts[2 * i + 1]).reshape(-1))


def parts_of(nets: list[nn.Sequential]) -> list:
    """Weights and biases of equal networks side by side, as peer.split_flat has them."""
    layers = [[layer for layer in net if isinstance(layer, nn.Linear)] for net in nets]
    parts = []
    for same in zip(*layers):
        parts.append(torch.stack([layer.weight.detach().T for layer in same]).cpu().numpy())
        parts.append(torch.stack([layer.bias.detach() for layer in same]).cpu().numpy())
    return parts


class Usual:
    def __init__(self, settings: peer.Settings, initial=None):
        self.settings = settings
        self.actor = Actor(settings)
        self.critics = nn.ModuleList(Critic(settings) for _ in range(settings.critics))
        self.targets = nn.ModuleList(Critic(settings) for _ in range(settings.critics))
        self.targets.load_state_dict(self.critics.state_dict())
        if initial is not None:
            load(self.actor.net, peer.split_flat(initial["actor"], settings.actor_widths))
            for name, critics in (("critic", self.critics), ("target", self.targets)):
                parts = peer.split_flat(initial[name], settings.critic_widths, settings.critics)
                for i, critic in enumerate(critics):
                    load(critic.net, [part[i] for part in parts])
        self.average = Actor(settings)
        self.average.load_state_dict(self.actor.state_dict())
        betas = (settings.beta1, 0.999)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=settings.actor_learning_rate, betas=betas)
        self.critic_optimizer = torch.optim.Adam(self.critics.parameters(), lr=settings.critic_learning_rate, betas=betas)

    def update(self, batch, noise=None):
        s = self.settings
        observation, entries, action, continues, next_observation, next_entries, live = rows_of(s, batch)
        now, next_ = (None if noise is None else torch.as_tensor(noise[k]) for k in peer.NOISE_NAMES)
        valued = slice(0, s.valued_rows)

        with torch.no_grad():
            next_live = None if live is None else 1 - next_entries[:, -1:]
            next_action, next_log_probability, _ = live_sample(self.actor.sample(next_observation, next_), next_live)
            next_q = torch.min(torch.stack([target(next_entries, next_action) for target in self.targets]), 0)[0]
            next_v = (next_q - s.temperature * next_log_probability).clamp(-s.value_bound, s.value_bound)
            y = s.gamma * next_v if continues is None else s.gamma * continues * next_v
            policy_action, log_probability, _ = live_sample(self.actor.sample(observation, now), live)

        critic_loss = 0.0
        for critic in self.critics:
            r = critic(entries, action) - y
            v = critic(entries[valued], policy_action[valued]) - s.temperature * log_probability[valued]
            expert_reward = r[s.batch :].mean()
            critic_loss = critic_loss - expert_reward + (v - y[valued]).mean() + s.reg_mult * (r**2).mean()
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

        new_action, new_log_probability, mean = live_sample(self.actor.sample(observation, now), live)
        q = torch.min(torch.stack([critic(entries, new_action) for critic in self.critics]), 0)[0]
        actor_loss = mean_of(s.temperature * new_log_probability - q, live)
        if s.cloning > 0:
            actor_loss = actor_loss + cloning_loss(s, mean, action, live)
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()

        with torch.no_grad():
            for target, source in zip(self.targets.parameters(), self.critics.parameters()):
                target.copy_(s.tau * source + (1 - s.tau) * target)
            if s.averaging > 0:
                for average, source in zip(self.average.parameters(), self.actor.parameters()):
                    average.copy_(s.averaging * source + (1 - s.averaging) * average)
        return critic_loss.item(), actor_loss.item()

    def flat(self):
        return {
            "actor": peer.join_flat(parts_of([self.actor.net])),
            "critic": peer.join_flat(parts_of([critic.net for critic in self.critics])),
            "target": peer.join_flat(parts_of([target.net for target in self.targets])),
        }


class Lean:
    def __init__(self, settings: peer.Settings, initial=None, capturable=False):
        self.settings = settings
        start = Usual(settings, initial)  # the same initial distribution

        def tensors(nets):
            """Weights [n, in, out] and biases [n, 1, out] of n networks."""
            return [torch.as_tensor(p.copy() if p.ndim == 3 else p[:, None].copy()) for p in parts_of(nets)]

        self.actor = [part[0] for part in tensors([start.actor.net])]
        self.critic = tensors([critic.net for critic in start.critics])
        self.target = tensors([target.net for target in start.targets])
        self.average = [part.clone() for part in self.actor]
        for part in [*self.actor, *self.critic]:
            part.requires_grad_(True)
        shared = {"betas": (settings.beta1, 0.999), "fused": True, "capturable": capturable}
        self.actor_optimizer = torch.optim.Adam(self.actor, lr=settings.actor_learning_rate, **shared)
        self.critic_optimizer = torch.optim.Adam(self.critic, lr=settings.critic_learning_rate, **shared)

    def q(self, parts, entries, action):
        """[critics, rows, 1]"""
        x = torch.cat([entries, action], dim=-1).expand(self.settings.critics, -1, -1)
        for i in range(0, len(parts), 2):
            x = torch.baddbmm(parts[i + 1], x, parts[i])
            if i + 2 < len(parts):
                if self.settings.layer_norm:
                    x = F.layer_norm(x, x.shape[-1:], eps=peer.LAYER_NORM_EPSILON)
                x = torch.relu_(x)
        return x

    def sample(self, observation, noise):
        x = observation
        for i in range(0, len(self.actor), 2):
            x = torch.addmm(self.actor[i + 1], x, self.actor[i])
            if i + 2 < len(self.actor):
                x = torch.relu_(x)
        mean, raw = x.chunk(2, dim=-1)
        low, high = self.settings.log_std
        log_std = torch.tanh(raw) * (0.5 * (high - low)) + 0.5 * (high + low)
        u = torch.addcmul(mean, log_std.exp(), noise)
        constant = 2 * math.log(2) + 0.5 * math.log(2 * math.pi)
        terms = log_std + 0.5 * noise.square() + constant - 2 * u - 2 * F.softplus(-2 * u)
        return torch.tanh(u), terms.sum(-1, keepdim=True).neg(), mean

    def update(self, batch, noise=None):
        critic_loss, actor_loss = self.step(batch, noise)
        return critic_loss.item(), actor_loss.item()

    def step(self, batch, noise=None):
        """One update; the losses stay on the device."""
        s = self.settings
        rows, valued = 2 * s.batch, s.valued_rows
        observation, entries, action, continues, next_observation, next_entries, live = rows_of(s, batch)
        now, next_ = (
            torch.randn(2, rows, s.action, device=options.device) if noise is None else (torch.as_tensor(noise[k]) for k in peer.NOISE_NAMES)
        )

        policy_action, log_probability, mean = live_sample(self.sample(observation, now), live)
        with torch.no_grad():
            next_live = None if live is None else 1 - next_entries[:, -1:]
            next_action, next_log_probability, _ = live_sample(self.sample(next_observation, next_), next_live)
            next_q = self.q(self.target, next_entries, next_action).amin(0)
            next_v = (next_q - s.temperature * next_log_probability).clamp_(-s.value_bound, s.value_bound)
            y = s.gamma * next_v if continues is None else s.gamma * continues * next_v
            offset = s.temperature * log_probability[:valued] + y[:valued]

        actions = torch.cat([action, policy_action[:valued].detach()])
        q, v_q = self.q(self.critic, torch.cat([entries, entries[:valued]]), actions).split([rows, valued], dim=1)
        r = q - y
        critic_loss = (v_q - offset).sum() / valued + (s.reg_mult * r.square().sum() - 2 * r[:, s.batch :].sum()) / rows
        for part, gradient in zip(self.critic, torch.autograd.grad(critic_loss, self.critic)):
            part.grad = gradient
        self.critic_optimizer.step()

        frozen = [part.detach() for part in self.critic]
        best = self.q(frozen, entries, policy_action).amin(0)
        actor_loss = mean_of(s.temperature * log_probability - best, live)
        if s.cloning > 0:
            actor_loss = actor_loss + cloning_loss(s, mean, action, live)
        for part, gradient in zip(self.actor, torch.autograd.grad(actor_loss, self.actor)):
            part.grad = gradient
        self.actor_optimizer.step()

        with torch.no_grad():
            torch._foreach_lerp_(self.target, [part.detach() for part in self.critic], s.tau)
            if s.averaging > 0:
                torch._foreach_lerp_(self.average, [part.detach() for part in self.actor], s.averaging)
        return critic_loss.detach(), actor_loss.detach()

    def flat(self):
        return {
            name: peer.join_flat([part.detach().cpu().numpy() for part in getattr(self, name)])
            for name in ("actor", "critic", "target")
        }


class Graph:
    """Lean, captured once and replayed: the batch is copied to where the graph reads it."""

    def __init__(self, settings: peer.Settings, initial=None):
        if options.device != "cuda":
            raise SystemExit("the variant graph needs --device cuda")
        self.lean = Lean(settings, initial, capturable=True)
        self.batch = {k: torch.as_tensor(v).clone() for k, v in peer.random_batches(settings, 1)[0].items()}
        # What is created lazily must be there before the capture.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.lean.step(self.batch)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses = torch.stack(self.lean.step(self.batch))

    def update(self, batch, noise=None):
        for name, value in batch.items():
            self.batch[name].copy_(value)
        self.graph.replay()
        return self.losses.tolist()


def main() -> None:
    variant = {"usual": Usual, "lean": Lean, "graph": Graph}[options.variant]
    if options.parity is not None:
        peer.parity(options.parity, options.out, variant)
        return
    torch.manual_seed(0)
    settings = peer.settings_of(options)
    # Only while it is made: the context makes every call slower.
    with torch.device(options.device):
        learner = variant(settings)
    batches = [{k: torch.as_tensor(v, device=options.device) for k, v in batch.items()} for batch in peer.random_batches(settings)]
    for i in range(20):
        learner.update(batches[i % len(batches)])
    peer.serve(
        {"torch": torch.__version__},
        lambda n: peer.timed(lambda i: learner.update(batches[i % len(batches)]), n),
    )


if __name__ == "__main__":
    main()
