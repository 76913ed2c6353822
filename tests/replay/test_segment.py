"""A buffer that is saved in segments comes back as it was."""
import pytest
import torch
from buffer_data import make_buffer
from policy_data import chunk, random_episode


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.unittest
@pytest.mark.parametrize('obs_dtype', ['float16', 'float32'])
@pytest.mark.parametrize('cuts', [(0, 9), (0, 4, 9), (3, 6, 7, 9)])
def test_buffer_restored_from_segments_goes_on_bit_for_bit(obs_dtype, cuts):
    buffer, other = (make_buffer(seed=s, max_rows=40, obs_dtype=obs_dtype) for s in (0, 9))
    segments, samples = [], [chunk(random_episode(2 + i % 5, seed=i)) for i in range(9)]
    for first, stop in zip((0, *cuts), cuts):
        buffer.push(samples[first:stop])
        here = range(max(first, buffer.sample_ids.start), stop)
        if here:
            segments.append((here, buffer.samples_state_dict(here)))
    other.load_state_dict(buffer.index_state_dict())
    for ids, segment in segments:
        other.load_samples(ids, segment)
    assert buffer.sample_ids == other.sample_ids and buffer.sample_ids.start > 0
    for seed in range(3):
        for each in (buffer, other):
            each.push([chunk(random_episode(3 + seed, seed=50 + seed))])
        pair = [each.sample(3) for each in (buffer, other)]
        assert all(x is y is None or torch.equal(x, y) for x, y in zip(*pair))
