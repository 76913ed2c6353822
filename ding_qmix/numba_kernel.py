"""
How kernels are compiled: the one place that says so.

A kernel works in place on arrays it is given and allocates none. So it needs no reference counting (``_nrt``): the
counts are atomic operations per array and call, and cost nine tenths of the simulator's time. Divisions follow IEEE
rules instead of raising. No fastmath: results do not depend on how the compiler groups sums.

Compiled code is cached on disk beside each source file. Numba renews it when that file changes, but not when one that
it calls does: who edits a kernel removes the cache, ``find ding_qmix -name '*.nb?' -delete``.
"""
from typing import Any, Callable

from numba import config, njit

JIT = not config.DISABLE_JIT  # without it kernels are plain Python, far too slow for a network
_OPTIONS: dict[str, Any] = dict(cache=True, error_model='numpy', _nrt=False)
_CONTRACT = {'contract', 'nsz', 'arcp'}
_NOT_FROM_PYTHON: dict[str, Any] = dict(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # saves compiling the way in


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that kernels and Python call."""
    return njit(**_OPTIONS)(function)


def outer_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that lets go of Python's lock while it runs, so that threads can share its work."""
    return njit(nogil=True, **_OPTIONS)(function)


def inner_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that only kernels call; Python must not, the process would end."""
    return njit(**_OPTIONS, **_NOT_FROM_PYTHON)(function)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Overview:
        Compile a kernel into the kernels that call it; Python must not, the process would end.

        An array is passed as a dozen words, a battle as a hundred, so that an ordinary call costs more than most
        kernels do: inlining halves the time of an env step.
    """
    return njit(forceinline=True, **_OPTIONS, **_NOT_FROM_PYTHON)(function)


def fast_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Overview:
        Compile a kernel of the networks, which releases the GIL; Python and kernels call it. A product and a sum may
        become one instruction, which is twice as fast and no less exact.
    """
    return njit(nogil=True, fastmath=_CONTRACT, **_OPTIONS)(function)


def fast_inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel of the networks into the kernels that call it."""
    return njit(nogil=True, fastmath=_CONTRACT, forceinline=True, **_OPTIONS)(function)


def fast_sum_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """As ``fast_inline_kernel``; the terms of a sum may be grouped too, as any linear algebra library does."""
    return njit(nogil=True, fastmath=_CONTRACT | {'reassoc'}, forceinline=True, **_OPTIONS)(function)
