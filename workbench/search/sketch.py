"""Gradients kept small: random sketches whose inner products are those of the gradients.

A count sketch (Charikar, Chen and Farach-Colton, 2002; Weinberger et al., 2009): every number of
a tensor gets a random sign and is added to one of `BUCKETS` sums. Inner products of two sketches
are unbiased, with a standard deviation of at most sqrt(2 / BUCKETS), about 0.6%, of the product
of the two norms; a tensor with no more numbers than buckets is kept exactly. Sketches add up
like the tensors do, so that a gradient may come in micro-batches.
"""

import torch

__all__ = ["BUCKETS", "FEW_BUCKETS", "Sketcher"]

# A prime, so that numbers of the same row or column of a matrix fall into different buckets.
BUCKETS = 65_521
# Where there are thousands of tensors: one inner product is then known to 2.2%.
FEW_BUCKETS = 4_099
BLOCK = 64
MOST_BLOCKS = 4096


class Sketcher:
    """Sketches tensors of one device, all with the same signs.

    Args:
        device: where the tensors are.
        seed: decides the signs; only sketches of the same seed may be compared.
        buckets: how many sums a sketch has.
    """

    def __init__(self, device: torch.device, seed: int = 0, buckets: int = BUCKETS) -> None:
        self._buckets, self._block = buckets, BLOCK * buckets
        generator = torch.Generator().manual_seed(seed)
        signs = torch.randint(0, 2, (self._block + MOST_BLOCKS,), generator=generator)
        self._signs = (signs * 2 - 1).to(device, torch.float32)

    @torch.no_grad()
    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor of any shape as (buckets,) float32; needs a block of 17 MB at most."""
        flat = tensor.reshape(-1)
        sums = torch.zeros(self._buckets, device=flat.device)
        for number, piece in enumerate(torch.split(flat, self._block)):
            # Two numbers of one bucket must not share a sign: each block begins one sign later.
            shift = number % MOST_BLOCKS
            signed = piece.to(torch.float32) * self._signs[shift : shift + len(piece)]
            whole = len(piece) // self._buckets * self._buckets
            if whole:
                sums += signed[:whole].view(-1, self._buckets).sum(dim=0)
            sums[: len(piece) - whole] += signed[whole:]
        return sums
