"""
Random numbers of one env: a xorshift64 generator whose whole state is one uint64.

Each env owns one, so its battle depends on its seed alone and not on its neighbours or on threads.
"""
import numpy as np

from ding_qmix.numba_kernel import inline_kernel

_MASK = (1 << 64) - 1


def seed_state(seed: int) -> np.uint64:
    """
    Overview:
        Turn a seed into a generator state by splitmix64, so that neighbouring seeds give unrelated streams.
    Raises:
        - ValueError: the seed is negative or needs more than 64 bits
    """
    if not 0 <= seed <= _MASK:
        raise ValueError(f'seed must be in 0..2**64 - 1, got {seed}')
    z = (int(seed) + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    z ^= z >> 31
    return np.uint64(z if z else 1)  # zero is the one state that xorshift cannot leave


@inline_kernel
def draw_bits(rng: np.ndarray) -> np.uint64:
    """Advance the generator, uint64 [1], and return 64 random bits."""
    z = rng[0]
    z ^= z << np.uint64(13)
    z ^= z >> np.uint64(7)
    z ^= z << np.uint64(17)
    rng[0] = z
    return z


@inline_kernel
def draw_below(rng: np.ndarray, n: int) -> np.int64:
    """Return a random integer in 0..n-1, n below 2**32; uses the upper bits, the better ones of this generator."""
    return np.int64(((draw_bits(rng) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@inline_kernel
def draw_fraction(rng: np.ndarray) -> np.float64:
    """Return a random float64 in [0, 1)."""
    return np.float64(draw_bits(rng) >> np.uint64(11)) * (1. / 9007199254740992.)
