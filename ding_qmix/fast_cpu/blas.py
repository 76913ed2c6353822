"""
Matrix products inside kernels, by the BLAS inside torch.

A kernel that calls it need not release and take the GIL for every product, which costs more than a small product does.
Its threads are torch's: on a thread for which ``torch.set_num_threads(1)`` holds, a product runs alone.
"""
import ctypes
from functools import cache
from typing import Any, Optional

import llvmlite.binding as llvm
import numpy as np
import torch
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ding_qmix.numba_kernel import JIT, fast_kernel

_SYMBOL = 'ding_qmix_sgemm'  # the name under which compiled code finds BLAS's sgemm, also code from the cache
_NORMAL, _TRANSPOSED = np.uint8(ord('N')), np.uint8(ord('T'))

_intrinsic: Any = intrinsic  # what it makes is called without its first argument, which its type does not say
# sgemm(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc), all of them pointers, as Fortran passes arguments
_sgemm = types.ExternalFunction(_SYMBOL, types.void(*[types.voidptr] * 13))


@_intrinsic
def _pointer_to(typingctx: Any, value: Any) -> Any:
    """Pointer to a scalar, which lives as long as the calling function runs."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(cgutils.alloca_once_value(builder, args[0]), cgutils.voidptr_t)

    return types.voidptr(value), codegen


@_intrinsic
def _data_of(typingctx: Any, array: Any) -> Any:
    """Pointer to the first element of an array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.bitcast(data, cgutils.voidptr_t)

    return types.voidptr(array), codegen


@fast_kernel
def _multiply(
        trans_a: int, trans_b: int, m: int, n: int, k: int, a: np.ndarray, b: np.ndarray, beta: float, out: np.ndarray
) -> None:
    """
    out [m, n] = op(a) @ op(b) + beta * out, op(a) [m, k], op(b) [k, n]; float32, rows without gaps in them.

    BLAS counts by columns, so it is asked for out.T = op(b).T @ op(a).T. Sizes are int64 in memory: a BLAS with 32-bit
    integers reads the lower half, which comes first on every machine that torch's CPU builds are for.
    """
    _sgemm(
        _pointer_to(trans_b), _pointer_to(trans_a), _pointer_to(np.int64(n)), _pointer_to(np.int64(m)),
        _pointer_to(np.int64(k)), _pointer_to(np.float32(1.)), _data_of(b), _pointer_to(np.int64(b.strides[0] // 4)),
        _data_of(a), _pointer_to(np.int64(a.strides[0] // 4)), _pointer_to(beta), _data_of(out),
        _pointer_to(np.int64(out.strides[0] // 4))
    )


@fast_kernel
def multiply_transposed(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, O] = a [R, I] @ b [O, I].T"""
    _multiply(_NORMAL, _TRANSPOSED, a.shape[0], b.shape[0], a.shape[1], a, b, np.float32(0.), out)


@fast_kernel
def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, I] = a [R, O] @ b [O, I]"""
    _multiply(_NORMAL, _NORMAL, a.shape[0], b.shape[1], a.shape[1], a, b, np.float32(0.), out)


@fast_kernel
def add_product(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, I] += a [R, O] @ b [O, I]"""
    _multiply(_NORMAL, _NORMAL, a.shape[0], b.shape[1], a.shape[1], a, b, np.float32(1.), out)


@fast_kernel
def add_product_transposed(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, O] += a [R, I] @ b [O, I].T"""
    _multiply(_NORMAL, _TRANSPOSED, a.shape[0], b.shape[0], a.shape[1], a, b, np.float32(1.), out)


@fast_kernel
def add_product_over_rows(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [O, I] += a [R, O].T @ b [R, I]"""
    _multiply(_TRANSPOSED, _NORMAL, a.shape[1], b.shape[1], a.shape[0], a, b, np.float32(1.), out)


@cache
def why_no_blas() -> Optional[str]:
    """Try a 2 x 2 product; return why kernels cannot multiply here, for the log, or None if they can."""
    if not JIT:
        return 'NUMBA_DISABLE_JIT is set'
    if not _FOUND:
        return "torch's library offers no sgemm"
    a, b = np.array([[1, 2], [3, 4]], np.float32), np.array([[5, 6], [7, 8]], np.float32)
    out = np.zeros((2, 2), np.float32)
    multiply(a, b, out)
    return None if (out == [[19, 22], [43, 50]]).all() else f"torch's sgemm gives {out.tolist()} for a 2 x 2 product"


def _bind() -> bool:
    """Make torch's sgemm known to compiled code, which must not be loaded before; return whether there is one."""
    try:
        address = ctypes.cast(ctypes.CDLL(torch._C.__file__).sgemm_, ctypes.c_void_p).value
    except (OSError, AttributeError):
        return False
    llvm.add_symbol(_SYMBOL, address)
    return True


_FOUND = _bind()
