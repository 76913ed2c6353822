"""
Features to bits and float16 or float32, and back. R rows, G agents (1 for the state), F features, of which K are bits
and the rest real-valued; bit k of an agent's row is bit k % 8 of its byte k // 8.
"""
import numpy as np

from ding_qmix.numba_kernel import inline_kernel, outer_kernel

# numba has no float16: its 16 bits are an index into its value as float32, [65536]
FLOAT16_VALUES = np.arange(2 ** 16, dtype=np.uint16).view(np.float16).astype(np.float32)

_ONE = np.float32(1.).view(np.uint32)
_MAGNITUDE = np.uint32(0x7fffffff)  # all of a float32 but its sign


@outer_kernel
def scan_columns(words: np.ndarray, limit: np.uint32, is_real_out: np.ndarray) -> bool:
    """
    Set the features that are neither 0. nor 1. somewhere, and return whether no magnitude exceeds a limit: float32 as
    uint32 [R, F], the limit's own words -> bool [F]. Words compare exactly: -0. is no bit, NaN exceeds any limit.
    """
    fits = True
    for r in range(words.shape[0]):
        for f in range(words.shape[1]):
            word = words[r, f]
            is_real_out[f] |= (word != np.uint32(0)) & (word != _ONE)
            fits &= (word & _MAGNITUDE) <= limit
    return fits


@outer_kernel
def pack_columns(
        values: np.ndarray, bit_columns: np.ndarray, real_columns: np.ndarray, bits_out: np.ndarray,
        real_values_out: np.ndarray
) -> None:
    """Split the columns: float32 [R, G, F], int64 [K], [F - K] -> uint8 [R, G, bytes], float32 [R, G, F - K]."""
    for r in range(values.shape[0]):
        for g in range(values.shape[1]):
            value, byte = values[r, g], bits_out[r, g]
            for j in range(byte.shape[0]):
                word = np.int64(0)
                for k in range(8 * j, min(8 * j + 8, bit_columns.shape[0])):
                    word |= np.int64(value[bit_columns[k]] != 0.) << (k & 7)
                byte[j] = word
            for k in range(real_columns.shape[0]):
                real_values_out[r, g, k] = value[real_columns[k]]


@outer_kernel
def unpack_float16(
        bits: np.ndarray, real_values: np.ndarray, rows: np.ndarray, bit_columns: np.ndarray, real_columns: np.ndarray,
        float16_values: np.ndarray, values_out: np.ndarray
) -> None:
    """Join bits and real values of rows int64 [R]: uint8 [C, G, bytes], float16 as uint16 [C, G, F - K] -> float32."""
    for i in range(rows.shape[0]):
        for g in range(values_out.shape[1]):
            value, stored = values_out[i, g], real_values[rows[i], g]
            _write_bits(bits[rows[i], g], bit_columns, value)
            for k in range(real_columns.shape[0]):
                value[real_columns[k]] = float16_values[stored[k]]


@outer_kernel
def unpack_float32(
        bits: np.ndarray, real_values: np.ndarray, rows: np.ndarray, bit_columns: np.ndarray, real_columns: np.ndarray,
        values_out: np.ndarray
) -> None:
    """Join bits and real values as ``unpack_float16`` does; the real values are float32."""
    for i in range(rows.shape[0]):
        for g in range(values_out.shape[1]):
            value, stored = values_out[i, g], real_values[rows[i], g]
            _write_bits(bits[rows[i], g], bit_columns, value)
            for k in range(real_columns.shape[0]):
                value[real_columns[k]] = stored[k]


@inline_kernel
def _write_bits(byte: np.ndarray, bit_columns: np.ndarray, value_out: np.ndarray) -> None:
    """Write 1. where a bit is set, else 0.: uint8 [bytes] -> float32 [F]. Most bits are 0, so only ones are visited."""
    for f in range(value_out.shape[0]):
        value_out[f] = 0.
    for j in range(byte.shape[0]):
        rest, k = np.int64(byte[j]), 8 * j
        while rest != 0:
            if rest & 1:
                value_out[bit_columns[k]] = 1.
            rest >>= 1
            k += 1
