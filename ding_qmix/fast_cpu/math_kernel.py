"""
How the networks' kernels are compiled: the one place that says so.

A kernel lets go of Python's lock, works in place on float32 arrays it is given and allocates none. A product and a sum
may become one instruction, which is twice as fast and no less exact. Compiled code is cached beside each source file:
who edits a kernel removes the cache, ``find ding_qmix -name '*.nb?' -delete``.
"""
from typing import Any, Callable, Dict

import numpy as np
from numba import config, njit

_OPTIONS: Dict[str, Any] = dict(cache=True, nogil=True, error_model='numpy', _nrt=False)
_CONTRACT = {'contract', 'nsz', 'arcp'}

JIT = not config.DISABLE_JIT  # without it kernels are plain Python, far too slow for a network
ZERO, HALF, ONE, TWO = np.float32(0.), np.float32(0.5), np.float32(1.), np.float32(2.)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that kernels and Python call."""
    return njit(fastmath=_CONTRACT, **_OPTIONS)(function)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel into the kernels that call it."""
    return njit(fastmath=_CONTRACT, forceinline=True, **_OPTIONS)(function)


@njit(fastmath=_CONTRACT | {'reassoc'}, forceinline=True, **_OPTIONS)
def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of a [n] * b [n]; terms may be grouped, as any linear algebra library does."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@inline_kernel
def tanh(x: float) -> float:
    """
    Hyperbolic tangent within 4e-7, as a quotient of polynomials: it becomes vector instructions where a call of the
    math library does not. Source: coefficients of Eigen's ptanh (Eigen/src/Core/MathFunctionsImpl.h).
    """
    x = max(min(x, np.float32(7.90531110763549805)), np.float32(-7.90531110763549805))
    y = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * y + np.float32(2.00018790482477e-13)
    p = p * y + np.float32(-8.60467152213735e-11)
    p = p * y + np.float32(5.12229709037114e-08)
    p = p * y + np.float32(1.48572235717979e-05)
    p = p * y + np.float32(6.37261928875436e-04)
    p = p * y + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * y + np.float32(1.18534705686654e-04)
    q = q * y + np.float32(2.26843463243900e-03)
    q = q * y + np.float32(4.89352518554385e-03)
    return x * p / q


@inline_kernel
def elu(x: float) -> float:
    """x where it is positive, else exp(x) - 1."""
    t = tanh(HALF * min(x, ZERO))
    return x if x > ZERO else TWO * t / (ONE - t)
