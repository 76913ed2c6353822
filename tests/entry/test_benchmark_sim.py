"""The entries around the simulator run with tiny settings and write what their pages say."""
import json
from pathlib import Path

import pytest

from ding_qmix.sim import SIM_VERSION
from ding_qmix.sim.calibration import SimKnobs
from ding_qmix.utils.report import markdown_table, update_block

RUN_KEYS = {'command', 'commit', 'date', 'machine', 'versions', 'note', 'what', 'sim_version'}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / 'page.md'
    blocks = [f'<!-- begin {name} -->\nold\n<!-- end {name} -->' for name in ('sim_speed', 'sim_yardsticks')]
    path.write_text('# Page\n' + '\n'.join(blocks) + '\nlast\n')
    return path


@pytest.mark.unittest
def test_benchmark_sim_writes_json_and_table(load, tmp_path: Path, page: Path, capsys) -> None:
    out = tmp_path / 'new' / 'speed.json'
    args = '--maps 3m --threads 1 --batches 1 2 --seconds 0.01 --repeats 3 --note shared'
    load('benchmark/sim').main([*args.split(), '--out', str(out), '--doc', str(page)])
    result = json.loads(out.read_text())
    assert RUN_KEYS <= set(result) and result['sim_version'] == SIM_VERSION and result['note'] == 'shared'
    assert [(row['map'], row['threads'], row['n_envs']) for row in result['speed']] == [('3m', 1, 1), ('3m', 1, 2)]
    for row in result['speed']:
        assert len(row['all_env_steps_per_s']) == 3 and row['env_steps_per_s'] in row['all_env_steps_per_s']
        assert 0. < row['draw_share'] < 1. and 0. < row['show_share']
    assert result['memory'][0]['growth'] == pytest.approx(1., abs=.05)
    assert '1 thread, 2 envs' in page.read_text() and '1 thread, 2 envs' in capsys.readouterr().out


@pytest.mark.unittest
def test_benchmark_baselines_writes_json_and_table(load, tmp_path: Path, page: Path) -> None:
    out = tmp_path / 'yardsticks.json'
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


@pytest.mark.unittest
def test_render_entry_writes_a_scripted_battle(load, tmp_path: Path, capsys) -> None:
    image = pytest.importorskip('PIL.Image', reason='pillow is not installed')
    out = tmp_path / 'battle.gif'
    load('render').main(['--map', '3m', '--policy', 'focus', '--seed', '2', '--scale', '6', '--out', str(out)])
    with image.open(out) as video:
        assert f'{video.n_frames} pictures' in capsys.readouterr().out


@pytest.mark.unittest
def test_render_entry_writes_a_trained_policys_battle(load, tmp_path: Path, repo: Path) -> None:
    image = pytest.importorskip('PIL.Image', reason='pillow is not installed')
    import torch
    from ding.config import compile_config, read_config
    from ding.policy import create_policy
    config = str(repo / 'dizoo_configs' / 'smac_MMM_qmix_config.py')
    main_config, create_config = read_config(config)
    cfg = compile_config(main_config, auto=True, create_cfg=create_config, save_cfg=False)
    policy = create_policy(cfg.policy, enable_field=['eval'])
    torch.save(policy.eval_mode.state_dict(), tmp_path / 'ckpt.pth.tar')
    out = tmp_path / 'battle.gif'
    args = ['--config', config, '--load-path', str(tmp_path / 'ckpt.pth.tar'), '--scale', '6', '--out', str(out)]
    load('render').main(args)
    with image.open(out) as video:
        assert video.n_frames > 1 and video.width > 400  # Q-values stand beside the map


@pytest.mark.unittest
def test_render_entry_needs_config_and_checkpoint_together(load, capsys) -> None:
    with pytest.raises(SystemExit):
        load('render').main(['--config', 'a.py'])
    assert '--config and --load-path go together' in capsys.readouterr().err


@pytest.mark.unittest
def test_markdown_table_is_aligned() -> None:
    assert markdown_table(['a', 'bb'], [['ccc', 'd']]) == '| a   | bb |\n|-----|----|\n| ccc | d  |\n'


@pytest.mark.unittest
def test_update_block_replaces_only_its_block(page: Path) -> None:
    update_block(str(page), 'sim_speed', 'new')
    update_block(str(page), 'sim_speed', 'newer')
    text = page.read_text()
    assert text.startswith('# Page\n<!-- begin sim_speed -->\n\nnewer\n\n<!-- end sim_speed -->\n')
    assert text.endswith('old\n<!-- end sim_yardsticks -->\nlast\n')


@pytest.mark.unittest
def test_update_block_missing_raises(page: Path) -> None:
    with pytest.raises(ValueError, match='has no block'):
        update_block(str(page), 'other', 'new')


@pytest.mark.unittest
def test_docs_list_every_knob_with_its_default(repo: Path) -> None:
    page = (repo / 'docs' / 'simulator.md').read_text('utf-8')
    rows = [[cell.strip() for cell in line.split('|')] for line in page.splitlines()]
    shown = {row[1].strip('`'): row[2] for row in rows if len(row) > 4 and row[1].startswith('`')}
    assert shown == {name: str(value) for name, value in SimKnobs()._asdict().items()}
