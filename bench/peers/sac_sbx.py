"""sbx's SAC (JAX): its own train(), on a filled replay buffer, at the sizes of the IQ-Learn update."""

import peer
import sac

options = peer.arguments(__doc__)

import jax
import sbx

sac.serve(sbx.SAC, {"jax": jax.__version__, "sbx-rl": sbx.__version__}, options)
