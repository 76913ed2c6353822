"""The benchmark of the scripted policies runs with tiny settings and writes what its page shows."""
import json
from pathlib import Path

import pytest

RUN_KEYS = {'command', 'commit', 'date', 'machine', 'versions', 'note', 'what', 'sim_version'}


@pytest.mark.unittest
def test_benchmark_baselines_writes_json_and_table(load, tmp_path: Path) -> None:
    out, page = tmp_path / 'baselines.json', tmp_path / 'page.md'
    blocks = [f'<!-- begin {name} -->\nold\n<!-- end {name} -->' for name in ('sim_speed', 'sim_baselines')]
    page.write_text('# Page\n' + '\n'.join(blocks) + '\nlast\n')
    load('benchmark/baselines').main(['--maps', '3m', '--battles', '4', '--out', str(out), '--doc', str(page)])
    result = json.loads(out.read_text())
    assert RUN_KEYS <= set(result)
    rows = {row['policy']: row for row in result['rows']}
    assert set(rows) == {'random', 'closest', 'focus', 'kite'} and rows['closest']['expected']['text'] == 'about half'
    assert all(low <= row['win_rate'] <= high for row in rows.values() for low, high in [row['win_rate_95']])
    assert '| 3m' in page.read_text() and 'old' in page.read_text()  # the other block stays


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name, policy, text', [
        ('3m', 'random', 'near 0'), ('2s_vs_1sc', 'random', None), ('3s5z', 'closest', 'about half'),
        ('corridor', 'closest', 'near 0'), ('corridor', 'kite', None)
    ]
)
def test_expectation_is_that_of_the_map(load, map_name: str, policy: str, text: str) -> None:
    expected = load('benchmark/baselines').expectation(map_name, policy)
    assert (expected.text if expected else None) == text
