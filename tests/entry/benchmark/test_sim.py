"""The benchmark of the simulator runs with tiny settings and writes what its page shows."""
import json
from pathlib import Path

import pytest

from ding_qmix.sim import SIM_VERSION

RUN_KEYS = {'command', 'commit', 'date', 'machine', 'versions', 'note', 'what', 'sim_version'}


@pytest.mark.unittest
def test_benchmark_sim_writes_json_and_table(load, tmp_path: Path, capsys) -> None:
    out, page = tmp_path / 'new' / 'speed.json', tmp_path / 'page.md'
    page.write_text('# Page\n<!-- begin sim_speed -->\nold\n<!-- end sim_speed -->\nlast\n')
    args = '--maps 3m --threads 1 --batches 1 2 --seconds 0.01 --repeats 3 --note shared'
    load('benchmark/sim').main([*args.split(), '--out', str(out), '--doc', str(page)])
    result = json.loads(out.read_text())
    assert RUN_KEYS <= set(result) and result['sim_version'] == SIM_VERSION and result['note'] == 'shared'
    assert [(row['map'], row['threads'], row['n_envs']) for row in result['speed']] == [('3m', 1, 1), ('3m', 1, 2)]
    for row in result['speed']:
        assert len(row['all_env_steps_per_s']) == 3 and row['env_steps_per_s'] in row['all_env_steps_per_s']
        assert 0. < row['draw_share'] < 1. and 0. < row['show_share']
    assert result['memory'][0]['growth'] == pytest.approx(1., abs=.05)
    text = page.read_text()
    assert 'old' not in text and text.endswith('last\n')
    assert '1 thread, 2 envs' in text and '1 thread, 2 envs' in capsys.readouterr().out
