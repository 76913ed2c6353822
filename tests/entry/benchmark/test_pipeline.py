"""The benchmark of update, collection and both runs with tiny settings and writes what its page shows."""
import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

RUN_KEYS = {'command', 'commit', 'date', 'machine', 'versions', 'note', 'what', 'sim_version'}
TINY = '--repeats 1 --rounds 1 --seconds 0 --episodes 8 --updates 1 --note shared'


@pytest.fixture
def benchmark_pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repo: Path) -> ModuleType:
    """The entry, which imports its parts from its own folder; little to do, logs in a temporary folder."""
    monkeypatch.syspath_prepend(str(repo / 'entry' / 'benchmark'))
    monkeypatch.chdir(tmp_path)
    parts = importlib.import_module('pipeline_parts')
    monkeypatch.setattr(parts, 'EPISODE_LEN', 12)
    monkeypatch.setattr(parts, 'N_STORED', 32)
    module = importlib.import_module('pipeline')
    monkeypatch.setattr(module, 'DING_ENVS', (8, ))
    monkeypatch.setattr(module, 'THREADS', ('1', ))
    return module


class _SideHere:
    """A side in this process."""

    def __init__(self, spec: Any, updates_only: bool, folder: str) -> None:
        self._side = importlib.import_module('pipeline_side').make_side(spec, updates_only)

    def ask(self, threads: str, name: str, *args: Any) -> dict[str, float]:
        return importlib.import_module('pipeline_process').run_command(self._side, threads, name, *args)

    def close(self) -> None:
        self._side.close()


def _run(module: ModuleType, only: str, **kwargs: Any) -> Any:
    page, out = Path('page.md'), Path('new') / 'speed.json'
    page.write_text('# Page\n<!-- begin pipeline_speed -->\nold\n<!-- end pipeline_speed -->\nlast\n')
    module.main([*TINY.split(), '--out', str(out), '--doc', str(page), '--only', *only.split()], **kwargs)
    result = json.loads(out.read_text())
    assert RUN_KEYS <= set(result) and {'torch', 'di_engine'} <= set(result['versions'])
    text = page.read_text()
    assert 'old' not in text and text.endswith('last\n')
    return result, text


@pytest.mark.unittest
def test_update_part_compares_all_sides(benchmark_pipeline: ModuleType) -> None:
    result, text = _run(benchmark_pipeline, 'update', start=_SideHere)
    entrants = [(row['side']['kind'], row['side']['bf16'], row['threads']) for row in result['update']]
    assert entrants[:2] == [('ding', False, '1'), ('plain', False, '1')]
    assert entrants[2:] == [('ours', False, 'default'), ('ours', True, 'default')]
    for row in result['update']:
        for length in ('10', '12'):
            assert row[length]['ready_s'] > 0. and row[length]['sampled_s'] > 0.
            assert row[length]['trained_env_steps_per_s'] == pytest.approx(32 * int(length) / row[length]['ready_s'])
    assert text.count('| DI-engine ') == text.count('| plain nn.GRU | 32 x') == 2


@pytest.mark.unittest
def test_pipeline_parts_compare_all_sides(benchmark_pipeline: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    # 8 episodes of the free env are a batch of 32 chunks.
    monkeypatch.setattr(importlib.import_module('pipeline_parts'), 'EPISODE_LEN', 32)
    result, text = _run(benchmark_pipeline, 'collect end_to_end', start=_SideHere)
    for part in ('collect', 'end_to_end'):
        sides = {(row['side']['kind'], row['side']['env'], row['side']['manager']) for row in result[part]}
        assert {('ding', 'sim', 'base'), ('ding', 'sim', 'subprocess'), ('ding', 'free', 'base')} < sides
        assert {row['side']['kind'] for row in result[part]} == {'ding', 'ours'}
        for row in result[part]:
            assert row['env_steps_per_s'] > 0. and 1. <= row['episode_len'] <= 150.
    for row in result['end_to_end']:
        assert row['learn_s'] > 0. and row['peak_mib'] > row['env_processes_private_mib']
        assert row['env_processes'] >= (8 if row['side']['manager'] == 'subprocess' else 0)
    assert '| ours ' in text and 'free, 8 in manager base' in text


@pytest.mark.unittest
def test_every_side_but_ours_tries_all_threads(benchmark_pipeline: ModuleType, monkeypatch) -> None:
    monkeypatch.setattr(benchmark_pipeline, 'THREADS', ('1', 'default'))
    specs = [
        benchmark_pipeline.SideSpec(kind, bf16=bf16)
        for kind, bf16 in [('ding', False), ('ours', False), ('ours', True)]
    ]
    for part, expected in (('update', ['1', 'default', 'default', 'default']), ('collect', ['1', 'default',
                                                                                            'default'])):
        assert [e.threads for e in benchmark_pipeline._entrants(part, specs, [None] * 3)] == expected


@pytest.mark.unittest
def test_side_in_a_process_of_its_own_answers(benchmark_pipeline: ModuleType, tmp_path: Path) -> None:
    spec = benchmark_pipeline.SideSpec('ours', n_episode=8, n_updates=1)
    side = benchmark_pipeline.SideProcess(spec, False, str(tmp_path))
    answer = side.ask('1', 'collect')
    assert answer['env_steps'] >= 8 and answer['env_steps_per_s'] > 0.
    side.close()


@pytest.fixture
def failing_side(benchmark_pipeline: ModuleType, monkeypatch, tmp_path: Path) -> ModuleType:
    """A module that a side's process can import, with sides that end."""
    (tmp_path / 'failing_side.py').write_text(
        'import os\n\n\n'
        'def make(spec, updates_only):\n'
        '    raise SystemExit("out of memory")\n\n\n'
        'class Killed:\n'
        '    def __init__(self, spec, updates_only):\n'
        '        os.write(1, b"last words\\n")\n\n'
        '    def collect(self):\n'
        '        os.kill(os.getpid(), 9)\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, 'failing_side', raising=False)
    return importlib.import_module('failing_side')


@pytest.mark.unittest
def test_side_that_ends_shows_why(benchmark_pipeline: ModuleType, failing_side: ModuleType, tmp_path: Path) -> None:
    spec = benchmark_pipeline.SideSpec('ding')
    side = benchmark_pipeline.SideProcess(spec, False, str(tmp_path), make=failing_side.make)
    with pytest.raises(RuntimeError, match=r'kind=.ding.*ended:\nout of memory'):
        side.ask('1', 'collect')
    side.close()


@pytest.mark.unittest
def test_side_that_is_killed_shows_what_it_wrote_last(
        benchmark_pipeline: ModuleType, failing_side: ModuleType, tmp_path: Path
) -> None:
    spec = benchmark_pipeline.SideSpec('ours')
    side = benchmark_pipeline.SideProcess(spec, False, str(tmp_path), make=failing_side.Killed)
    with pytest.raises(RuntimeError, match=r'kind=.ours.*ended:\nlast words\nexit code -9'):
        side.ask('1', 'collect')
    side.close()


@pytest.mark.unittest
def test_both_sides_train_the_same_networks_with_the_same_settings(benchmark_pipeline: ModuleType) -> None:
    parts = importlib.import_module('pipeline_parts')
    spec = benchmark_pipeline.SideSpec('ours')
    (ding, _), (ours, _) = parts.ding_configs(spec), parts.our_configs(spec)
    assert {key: ours.policy.learn[key] for key in ding.policy.learn} == ding.policy.learn
    assert ours.policy.collect.unroll_len == ding.policy.collect.unroll_len == 10
    assert ours.policy.other.replay_buffer == ding.policy.other.replay_buffer
    counts = []
    for configs in ((ding, parts.ding_configs(spec)[1]), (ours, parts.our_configs(spec)[1])):
        pipeline = parts.Pipeline(configs, 'count')
        counts.append(sum(p.numel() for p in pipeline.policy.collect_mode.get_attribute('model').parameters()))
        pipeline.close()
    assert counts[0] == counts[1]


@pytest.mark.unittest
def test_free_env_keeps_its_length_and_shapes(benchmark_pipeline: ModuleType) -> None:
    env = importlib.import_module('free_env').FreeEnv(dict(map_name='3m', episode_len=3))
    env.seed(0)
    obs = env.reset()
    assert obs['agent_state'].shape[0] == 3 and obs['action_mask'].all()
    assert all(env.observation_space[name].shape == value.shape for name, value in obs.items())
    for _ in range(2):
        env.reset()
        steps = [env.step(None) for _ in range(3)]
        assert [step.done for step in steps] == [False, False, True] and 'eval_episode_return' in steps[-1].info
    assert not os.path.exists('log')
