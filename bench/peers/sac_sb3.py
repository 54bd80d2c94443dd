"""stable-baselines3's SAC: its own train(), on a filled replay buffer, at the sizes of the IQ-Learn update."""

import peer
import sac

options = peer.arguments(__doc__)

import stable_baselines3
import torch

torch.set_num_threads(options.threads)
sac.serve(
    stable_baselines3.SAC,
    {"torch": torch.__version__, "stable-baselines3": stable_baselines3.__version__},
    options,
    device="cpu",
)
