"""Functions of float32 numbers and rows that the networks' kernels share; they become vector instructions."""
import numpy as np

from ding_qmix.numba_kernel import fast_inline_kernel, fast_sum_kernel

ZERO, HALF, ONE, TWO = np.float32(0.), np.float32(0.5), np.float32(1.), np.float32(2.)


@fast_sum_kernel
def dot(a: np.ndarray, b: np.ndarray) -> np.floating:
    """Sum of a [n] * b [n]; terms may be grouped, as any linear algebra library does."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@fast_inline_kernel
def tanh(x: np.floating) -> np.floating:
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


@fast_inline_kernel
def elu(x: np.floating) -> np.floating:
    """x where it is positive, else exp(x) - 1."""
    t = tanh(HALF * min(x, ZERO))
    return x if x > ZERO else TWO * t / (ONE - t)
