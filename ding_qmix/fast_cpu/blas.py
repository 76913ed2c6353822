"""
Matrix products inside kernels: the linear algebra library that torch brings, called by its address.

A kernel that calls it need not hand Python's lock back and forth for every product, which costs more than a small
product does. torch's threads are those of the library: a thread for which ``torch.set_num_threads(1)`` holds multiplies
alone.
"""
import ctypes
from typing import Any, Optional

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ding_qmix.numba_kernel import fast_kernel

_AS_IS, _TRANSPOSED = ord('N'), ord('T')


def find_blas() -> Optional[int]:
    """Return the address of BLAS's ``sgemm``; None where torch's library does not offer it."""
    try:
        function = ctypes.CDLL(torch._C.__file__).sgemm_
    except (OSError, AttributeError):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


@fast_kernel
def multiply_transposed(blas: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, O] = a [R, I] @ b [O, I].T"""
    _sgemm(blas, _AS_IS, _TRANSPOSED, a.shape[0], b.shape[0], a.shape[1], a, b, np.float32(0.), out)


@fast_kernel
def multiply(blas: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, I] = a [R, O] @ b [O, I]"""
    _sgemm(blas, _AS_IS, _AS_IS, a.shape[0], b.shape[1], a.shape[1], a, b, np.float32(0.), out)


@fast_kernel
def add_product(blas: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, I] += a [R, O] @ b [O, I]"""
    _sgemm(blas, _AS_IS, _AS_IS, a.shape[0], b.shape[1], a.shape[1], a, b, np.float32(1.), out)


@fast_kernel
def add_product_transposed(blas: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [R, O] += a [R, I] @ b [O, I].T"""
    _sgemm(blas, _AS_IS, _TRANSPOSED, a.shape[0], b.shape[0], a.shape[1], a, b, np.float32(1.), out)


@fast_kernel
def add_product_over_rows(blas: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out [O, I] += a [R, O].T @ b [R, I]"""
    _sgemm(blas, _TRANSPOSED, _AS_IS, a.shape[1], b.shape[1], a.shape[0], a, b, np.float32(1.), out)


@intrinsic
def _sgemm(
        typingctx: Any, blas: Any, trans_a: Any, trans_b: Any, m: Any, n: Any, k: Any, a: Any, b: Any, beta: Any, c: Any
) -> tuple[Any, Any]:
    """
    c [m, n] = op(a) @ op(b) + beta * c, op(a) [m, k], op(b) [k, n]; float32, the last axis without gaps. BLAS counts by
    columns, so it is asked for c.T = op(b).T @ op(a).T; it takes everything by its place in memory.
    """
    byte, integer, real = types.uint8, types.int32, types.float32
    signature = types.void(types.intp, byte, byte, integer, integer, integer, a, b, real, c)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:

        def matrix(i: int) -> tuple[Any, Any]:
            array = context.make_array(sig.args[i])(context, builder, args[i])
            row = builder.sdiv(cgutils.unpack_tuple(builder, array.strides)[0], context.get_constant(types.intp, 4))
            return builder.bitcast(array.data, cgutils.voidptr_t), in_memory(builder.trunc(row, ir.IntType(32)))

        def in_memory(value: Any) -> Any:
            return builder.bitcast(cgutils.alloca_once_value(builder, value), cgutils.voidptr_t)

        blas, trans_a, trans_b, m, n, k, _, _, beta, _ = args
        one = context.get_constant(real, 1.)
        arguments = [in_memory(x) for x in (trans_b, trans_a, n, m, k, one)]
        arguments += [*matrix(7), *matrix(6), in_memory(beta), *matrix(9)]
        function = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t] * len(arguments))
        builder.call(builder.inttoptr(blas, function.as_pointer()), arguments)
        return context.get_dummy_value()

    return signature, codegen
