"""Rows of the replay storage: no overlap, no hole, and all of it back in the end."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ding_qmix.replay.row_allocator import RowAllocator


def _free_rows(allocator):
    return allocator.state_dict()['gaps']


@pytest.mark.unittest
def test_rows_are_given_from_the_start():
    allocator = RowAllocator(10)
    assert [allocator.allocate(n) for n in (3, 2, 5)] == [0, 3, 5] and allocator.allocate(1) is None


@pytest.mark.unittest
def test_freed_rows_are_given_again_to_what_fits():
    allocator = RowAllocator(10)
    for n in (3, 2, 4):
        allocator.allocate(n)
    allocator.free(3, 2)
    assert (allocator.allocate(3), allocator.allocate(2), allocator.allocate(1)) == (None, 3, 9)


@pytest.mark.unittest
def test_used_rows_end_with_the_last_one_taken():
    allocator, used = RowAllocator(10), []
    used.append(allocator.n_used)
    for n in (3, 2, 5):
        allocator.allocate(n)
        used.append(allocator.n_used)
    for first, n in ((3, 2), (5, 5), (0, 3)):
        allocator.free(first, n)
        used.append(allocator.n_used)
    assert used == [0, 3, 5, 10, 10, 3, 0]


@pytest.mark.unittest
@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, 15)), max_size=80), data=st.data())
def test_live_runs_never_overlap_and_freed_ones_become_one_gap(steps, data):
    allocator, live = RowAllocator(50), []
    for is_free, length in steps:
        if is_free and live:
            allocator.free(*live.pop(data.draw(st.integers(0, len(live) - 1))))
        else:
            first = allocator.allocate(length)
            if first is not None:
                live.append((first, length))
        taken = sorted(live + [tuple(gap) for gap in _free_rows(allocator)])
        assert all(a + n == b for (a, n), (b, _) in zip(taken, taken[1:]))  # neither overlap nor hole
        assert sum(n for _, n in taken) == 50
    for run in live:
        allocator.free(*run)
    assert _free_rows(allocator) == [[0, 50]]


@pytest.mark.unittest
def test_gaps_are_restored():
    allocator, other = RowAllocator(10), RowAllocator(10)
    for n in (3, 2, 4):
        allocator.allocate(n)
    allocator.free(3, 2)
    other.load_state_dict(allocator.state_dict())
    assert [other.allocate(2), other.allocate(1), other.allocate(1)] == [3, 9, None]


@pytest.mark.unittest
def test_gaps_of_another_storage_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match='10 rows, expected 12'):
        RowAllocator(12).load_state_dict(RowAllocator(10).state_dict())
