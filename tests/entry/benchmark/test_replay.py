"""The benchmark of the replay buffer runs with tiny settings and writes what its page shows."""
import json
from pathlib import Path

import pytest
import torch

from ding_qmix.policy.samples import cut_chunks


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs go to a folder of the test."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.unittest
def test_benchmark_replay_writes_json_and_tables(load, tmp_path: Path, capsys) -> None:
    out, page = tmp_path / 'new' / 'replay.json', tmp_path / 'page.md'
    page.write_text('# Page\n<!-- begin replay_memory -->\nold\n<!-- end replay_memory -->\nlast\n')
    args = '--cases MMM:10:40 3m:0:4 --episodes 4 --repeats 2 --note shared'
    load('benchmark/replay').main([*args.split(), '--out', str(out), '--doc', str(page)])
    result = json.loads(out.read_text())
    chunks, episodes = result['memory']
    assert (chunks['case'], episodes['case']) == ('MMM, 40 chunks of 10', '3m, 4 episodes')
    assert chunks['n_samples'] == 40 and episodes['n_samples'] == 4 and episodes['slot_bytes'] == 0
    for case in (chunks, episodes):
        sizes = case['row_bytes']
        assert sizes['all'] == sum(sizes.values()) - sizes['all'] and 0. < case['one_hot_share'] < .2
        assert case['storage_bytes'] < case['limit_length_bytes'] < case['pymarl_5000_bytes']
    assert all(0. < case['obs_max_error'] <= 2. ** -11 for case in result['rounding'])
    assert {row['verb'] for row in result['speed']} == {'push', 'sample'} and result['draw_ms']['median'] > 0.
    text = page.read_text()
    assert '| MMM, 40 chunks of 10' in text and 'old' not in text and '| 3m' in capsys.readouterr().out


@pytest.mark.unittest
def test_plain_buffer_is_what_ours_is_compared_with(load) -> None:
    cases = load('benchmark/replay_cases')
    samples = [s for e in cases.play('3m', 4) for s in cut_chunks(e, 5) if len(s['mask']) == 5]
    n = len(samples)
    plain, ours = cases.PlainBuffer(samples[0], 6 * n, n, torch.float16), cases.make_buffer(n)
    for buffer in (plain, ours):
        buffer.push(samples)
    batches = [buffer.sample(n) for buffer in (plain, ours)]
    order = [sorted(range(len(samples)), key=lambda b, x=x: x.obs[:, b].flatten().tolist()) for x in batches]
    for name in ('obs', 'state', 'action_mask', 'action', 'reward', 'mask'):
        one, other = (getattr(x, name)[:, b] for x, b in zip(batches, order))
        assert torch.equal(one, other)


@pytest.mark.unittest
def test_pymarls_reservation_is_that_of_its_scheme(load) -> None:
    # 3m: 61 rows; 3 agents of 30 obs, 9 actions, 48 state features: 3 * (120 + 36 + 8 + 36) + 192 + 13 bytes
    assert load('benchmark/replay_cases').pymarl_bytes('3m', 2) == 2 * 61 * 805
