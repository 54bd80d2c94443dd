"""The machine's single-precision matrix-multiplication peak, by torch.mm or numpy.matmul on 1024 x 1024.

Answers {"block": n} with n milliseconds a GFLOP, so that the driver needs no second protocol."""

import peer

options = peer.arguments(__doc__, variants=("torch", "numpy"))
SIZE = 1024
GFLOP = 2 * SIZE**3 / 1e9

import numpy as np

if options.variant == "torch":
    import torch

    torch.set_num_threads(options.threads)
    versions = {"torch": torch.__version__}
    a, b, out = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE), torch.empty(SIZE, SIZE)

    def multiply(_):
        torch.mm(a, b, out=out)
else:
    versions = {"numpy": np.__version__}
    a, b, out = np.random.default_rng(0).standard_normal((3, SIZE, SIZE)).astype(np.float32)

    def multiply(_):
        np.matmul(a, b, out=out)


peer.timed(multiply, 10)
peer.serve(versions, lambda n: [ms / GFLOP for ms in peer.timed(multiply, n)])
