"""Features as bits and real values: nothing is lost by a bit, float16 is off by its rounding, promotion keeps all."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ding_qmix.replay.column_kernels import FLOAT16_VALUES, pack_columns, scan_columns, unpack_float16, unpack_float32
from ding_qmix.replay.column_store import ColumnStore

G, F, C = 3, 21, 40
DTYPES = pytest.mark.parametrize('dtype', [np.float16, np.float32])


def _values(n_rows, real_columns=(1, 2, 9, 20), seed=0, n_features=F):
    """Rows of random bits, and of numbers that float16 holds exactly in some columns; half of these are 0 as well."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, (n_rows, G, n_features)).astype(np.float32)
    for k in real_columns:
        values[..., k] = rng.integers(0, 2, (n_rows, G)) * rng.integers(-500, 500, (n_rows, G)) / 256
    return values


def _store(values, dtype=np.float16, first=0):
    store = ColumnStore('obs', values.shape[1:], C, dtype)
    store.cover([values], 0)
    store.write(first, values)
    return store


def _read(store, rows, shape=(G, F)):
    out = np.full((len(rows), *shape), np.nan, dtype=np.float32)
    store.read(np.asarray(rows), out)
    return out


def _same_bits(one, other):
    return one.dtype == other.dtype and np.array_equal(one.view(np.uint32), other.view(np.uint32))


@pytest.mark.unittest
@DTYPES
def test_rows_come_back_in_any_order(dtype):
    values = _values(12)
    store, rows = _store(values, dtype, first=5), [16, 5, 7, 7]
    assert _same_bits(_read(store, rows), values[[11, 0, 2, 2]])


@pytest.mark.unittest
def test_columns_of_zeros_and_ones_take_a_bit():
    store = _store(_values(12))
    assert store.n_bit_columns == 17 and store.row_bytes == G * (3 + 4 * 2)
    assert _store(_values(12), np.float32).row_bytes == G * (3 + 4 * 4)


@pytest.mark.unittest
@DTYPES
@pytest.mark.parametrize('real_columns', [(), tuple(range(F))])
def test_all_bits_and_no_bits(dtype, real_columns):
    values = _values(12, real_columns)
    store = _store(values, dtype)
    assert store.n_bit_columns == F - len(real_columns) and _same_bits(_read(store, range(12)), values)


@pytest.mark.unittest
@DTYPES
@settings(max_examples=25, deadline=None, derandomize=True)
@given(n_features=st.integers(1, 40), data=st.data())
def test_any_mixture_of_columns_comes_back(dtype, n_features, data):
    real_columns = data.draw(st.sets(st.integers(0, n_features - 1)))
    values = _values(6, real_columns, n_features=n_features)
    assert _same_bits(_read(_store(values, dtype), range(6), (G, n_features)), values)


@pytest.mark.unittest
def test_float16_is_rounded_as_numpy_does():
    values = np.random.default_rng(0).normal(0, 3, (20, G, F)).astype(np.float32)
    values[0, 0, :4] = [1e-7, -6e-8, 65504., 1e-30]  # subnormal, largest, too small
    expected = values.astype(np.float16).astype(np.float32)
    assert _same_bits(_read(_store(values), range(20)), expected)


@pytest.mark.unittest
def test_float32_is_exact_whatever_it_is():
    values = np.random.default_rng(0).normal(0, 3, (20, G, F)).astype(np.float32)
    values[0, 0, :4] = [np.nan, np.inf, -0., 1e30]
    assert _same_bits(_read(_store(values, np.float32), range(20)), values)


@pytest.mark.unittest
@DTYPES
def test_minus_zero_is_no_bit(dtype):
    values = _values(3, ())
    values[1, 2, 5] = -0.
    store = _store(values, dtype)
    assert store.n_bit_columns == F - 1 and _same_bits(_read(store, range(3)), values)


@pytest.mark.unittest
@pytest.mark.parametrize('value', [65505., -1e6, np.inf, np.nan])
def test_what_float16_does_not_reach_is_refused_and_changes_nothing(value):
    values = _values(3)
    store, bad = _store(values), values.copy()
    bad[0, 0, 0] = value
    with pytest.raises(ValueError, match=r"obs holds NaN, or values beyond 65504.*obs_dtype='float32'"):
        store.cover([values, bad], 3)
    assert store.n_bit_columns == 17 and _same_bits(_read(store, range(3)), values)


@pytest.mark.unittest
def test_row_of_one_vector_needs_no_agents():
    values = _values(4)[:, 0]  # [R, F]
    assert _same_bits(_read(_store(values), [2, 0], (F, )), values[[2, 0]])


# ------------------------------------------------------------- promotion


@pytest.mark.unittest
@DTYPES
def test_promoted_column_keeps_what_is_stored_and_takes_new_values(dtype):
    old, new = _values(12), _values(5, (1, 2, 3, 9, 14, 20), seed=1)
    store = _store(old, dtype)
    assert store.cover([old, new], 12) == 2 and store.n_bit_columns == 15
    assert _same_bits(_read(store, range(12)), old)
    store.write(12, new)
    assert _same_bits(_read(store, range(17)), np.concatenate([old, new]))


@pytest.mark.unittest
@DTYPES
def test_promotion_keeps_rounded_values_to_the_last_bit(dtype):
    old = np.random.default_rng(0).normal(0, 3, (30, G, F)).astype(np.float32)
    old[..., :8] = old[..., :8] > 0
    store = _store(old, dtype)
    before = _read(store, range(30))
    store.cover([old + 1.], 30)
    assert store.n_bit_columns == 0 and _same_bits(_read(store, range(30)), before)


@pytest.mark.unittest
def test_promotion_of_more_rows_than_a_block(monkeypatch):
    monkeypatch.setattr('ding_qmix.replay.column_store._BLOCK', 7)
    old = _values(30)
    store = _store(old)
    assert store.cover([_values(1, range(F))], 30) > 10 and _same_bits(_read(store, range(30)), old)


@pytest.mark.unittest
def test_values_that_are_covered_promote_nothing():
    store = _store(_values(12))
    assert store.cover([_values(4, seed=2), _values(1, (), seed=3)], 12) == 0


# ------------------------------------------------------------------ state


@pytest.mark.unittest
@DTYPES
def test_state_restores_rows_and_layout(dtype):
    values = _values(12)
    other = ColumnStore('obs', (G, F), C, dtype)
    other.load_state_dict(_store(values, dtype).state_dict(12))
    assert other.n_bit_columns == 17 and _same_bits(_read(other, range(12)), values)
    other.write(12, values)
    assert _same_bits(_read(other, range(24)), np.concatenate([values, values]))


@pytest.mark.unittest
def test_state_is_a_copy_of_the_used_rows():
    values = _values(12)
    store = _store(values)
    state = store.state_dict(12)
    store.write(0, _values(12, seed=4))
    assert len(state['bits']) == len(state['real_values']) == 12 and state['real_values'].dtype == torch.float16
    other = ColumnStore('obs', (G, F), C, np.float16)
    other.load_state_dict(state)
    assert _same_bits(_read(other, range(12)), values)


# ---------------------------------------------------------------- kernels


@pytest.mark.unittest
def test_float16_values_are_numpys():
    expected = np.arange(65536, dtype=np.uint16).view(np.float16)
    assert np.array_equal(FLOAT16_VALUES, expected.astype(np.float32), equal_nan=True)


@pytest.mark.unittest
def test_scan_marks_columns_and_adds_to_what_is_marked():
    is_real = np.array([False, False, True, False])
    words = np.array([[0., 1., 0., .5], [1., 1., 1., 0.]], dtype=np.float32).view(np.uint32)
    limit = np.float32(1.).view(np.uint32)
    assert scan_columns(words, limit, is_real) and is_real.tolist() == [False, False, True, True]
    assert not scan_columns(np.float32([[0., -1.5, 0., 0.]]).view(np.uint32), limit, is_real) and is_real[1]


@pytest.mark.unittest
def test_kernels_lay_bits_out_as_numpy_does():
    values = _values(5)
    real_columns = np.array([1, 2, 9, 20])
    bit_columns = np.setdiff1d(np.arange(F), real_columns)
    bits, real_values = np.full((5, G, 3), 255, dtype=np.uint8), np.zeros((5, G, 4), dtype=np.float32)
    pack_columns(values, bit_columns, real_columns, bits, real_values)
    assert np.array_equal(bits, np.packbits(values[..., bit_columns] != 0, axis=-1, bitorder='little'))
    assert np.array_equal(real_values, values[..., real_columns])
    out, rows = np.empty((2, 5, G, F), dtype=np.float32), np.arange(5)
    words = real_values.astype(np.float16).view(np.uint16)
    unpack_float16(bits, words, rows, bit_columns, real_columns, FLOAT16_VALUES, out[0])
    unpack_float32(bits, real_values, rows, bit_columns, real_columns, out[1])
    assert np.array_equal(out, np.stack([values, values]))
