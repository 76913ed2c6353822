"""The benchmark of learning: configs of its runs, what is still to run, progress, results, and whole runs."""
import csv
import json
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import pytest

from ding_qmix.utils.report import describe_run

Load = Callable[[str], ModuleType]


def _result(label: str, seed: int, win_rates: list[float], interval: int = 10000, **more: Any) -> dict[str, Any]:
    """What learning_run.py writes, evaluations a bit later than asked for."""
    rows = [
        {
            'env_step': k * (interval + 300),
            'win_rate': rate,
            'elapsed_time': 60. * k
        } for k, rate in enumerate(win_rates)
    ]
    return {
        'map_name': 'MMM', 'policy': label, 'label': label, 'seed': seed, 'env_step': 40000, 'settings': [],
        'eval_env_steps': interval, 'eval_episodes': 32, 'absolute_episodes': 320, 'absolute_win_rate': max(win_rates),
        'best_env_step': 0, 'minutes': 4., 'n_threads': 1, 'backend': 'sim', 'backend_version': '1.2.3',
        'commit': 'abc', 'date': 'today', 'machine': {'cpu': 'fast', 'cores': 2}, 'command': 'python run',
        'evaluations': rows, **more
    }  # yapf: disable


def _options(learning: ModuleType, text: str = '') -> Any:
    return learning._parse(text.split())


@pytest.mark.unittest
def test_configs_are_the_maps_own_or_moved_to_it(load: Load) -> None:
    configs = load('benchmark/learning_configs')
    own, _ = configs.run_configs(configs.RunSpec('5m_vs_6m', 'qmix_pymarl', 0, 100, 'x'))
    moved, create = configs.run_configs(configs.RunSpec('3s5z', 'wqmix', 3, 100, 'y', backend='sim', n_threads=2))
    assert own.policy.learn.td_lambda == 0.6 and own.exp_name == '5m_vs_6m_x_seed0'
    assert (moved.env.map_name, moved.exp_name, moved.policy.model.agent_num) == ('3s5z', '3s5z_y_seed3', 8)
    assert create.evaluator.type == 'benchmark_env_step' and moved.env.n_threads == 2


@pytest.mark.unittest
def test_settings_change_keys_of_the_config(load: Load) -> None:
    configs = load('benchmark/learning_configs')
    settings = ('policy.learn.td_lambda=0.8', 'policy.learn.optimizer=rmsprop', 'env.blind=True')
    main, _ = configs.run_configs(configs.RunSpec('3m', 'qmix', 0, 100, 'x', settings))
    assert (main.policy.learn.td_lambda, main.policy.learn.optimizer, main.env.blind) == (0.8, 'rmsprop', True)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'policy, settings, message', [
        ('qmixx', (), r"policy 'qmixx': there is no dizoo_configs/smac_<map>_qmixx_config.py"),
        ('qmix', ('policy.learn.td_lambda', ), "--set 'policy.learn.td_lambda', expected a key"),
        ('qmix', ('learn.td_lambda=1', ), "--set 'learn.td_lambda=1', expected a key"),
    ]
)
def test_unknown_policies_and_settings_are_refused(load: Load, policy: str, settings: tuple, message: str) -> None:
    configs = load('benchmark/learning_configs')
    with pytest.raises(ValueError, match=message):
        configs.run_configs(configs.RunSpec('3m', policy, 0, 100, 'x', settings))


@pytest.mark.unittest
def test_grid_goes_seed_by_seed(load: Load) -> None:
    learning = load('benchmark/learning')
    specs = learning.make_specs(_options(learning, '--maps 3m MMM --policies qmix vdn --seeds 4 5 --env-step 70'))
    assert [spec.name for spec in specs[:5]
            ] == ['3m_qmix_seed4', '3m_vdn_seed4', 'MMM_qmix_seed4', 'MMM_vdn_seed4', '3m_qmix_seed5']
    assert len(specs) == 8 and {spec.env_step for spec in specs} == {70}


@pytest.mark.unittest
@pytest.mark.parametrize('text', ['--set a.b=1', '--policies qmix vdn --label x', '--jobs 0'])
def test_command_lines_that_say_two_things_are_refused(load: Load, text: str) -> None:
    with pytest.raises(SystemExit):
        _options(load('benchmark/learning'), text)


@pytest.mark.unittest
def test_what_has_its_result_is_finished_up_to_its_budget(load: Load, tmp_path: Path) -> None:
    learning = load('benchmark/learning')
    (tmp_path / 'MMM_qmix_seed0.json').write_text(json.dumps(_result('qmix', 0, [0., 1.])))

    def finished(text: str) -> bool:
        spec, = learning.make_specs(_options(learning, f'--seeds {text}'))
        return learning.is_finished(spec, str(tmp_path))

    assert finished('0 --env-step 40000') and not finished('0 --env-step 50000') and not finished('1 --env-step 40000')
    with pytest.raises(ValueError, match='eval_episodes=32, but now 8'):
        finished('0 --eval-episodes 8')


@pytest.mark.unittest
def test_results_of_two_games_are_not_mixed(load: Load, tmp_path: Path) -> None:
    (tmp_path / 'a.json').write_text(json.dumps(_result('qmix', 0, [0., 1.])))
    with pytest.raises(ValueError, match=r'has results of sim 1\.2\.3, now runs sim'):
        load('benchmark/learning').check_version(str(tmp_path), 'sim')


@pytest.mark.unittest
def test_progress_tells_how_far_the_runs_are(load: Load, tmp_path: Path) -> None:
    learning, jobs = load('benchmark/learning'), load('benchmark/learning_jobs')
    specs = learning.make_specs(_options(learning, '--seeds 0 1 --env-step 100000'))
    progress = jobs.Progress(specs, str(tmp_path))
    folder = tmp_path / 'MMM_qmix_seed0' / 'log' / 'evaluator'
    folder.mkdir(parents=True)
    (folder / 'evaluations.csv').write_text('env_step,win_rate,elapsed_time\n0,0.0,1.0\n50000,0.5,9.0\n')
    line = progress.line(['MMM_qmix_seed0'], 3600.)
    assert line == '50,000 of 200,000 env steps (25%), 14 per s, to go 3:00:00 | MMM_qmix_seed0 at 50,000'


@pytest.mark.unittest
def test_results_are_written_as_tables_and_for_marl_eval(load: Load, tmp_path: Path) -> None:
    module = load('benchmark/learning_results')
    results = [
        _result('qmix', 0, [0., 1., .5, 1.]),
        _result('qmix', 1, [0., 0., .5]),
        _result('vdn', 0, [0., .25, .25])
    ]
    text = module.write_results(str(tmp_path), results)
    assert '| MMM | qmix   | 2     | 0.40 [0.17, 0.62]' in text and '10,300 in 1 of 2' in text and 'sim 1.2.3' in text
    rows = list(csv.DictReader(open(tmp_path / 'runs.csv', encoding='utf-8')))
    assert [row['final_win_rate'] for row in rows] == ['0.625', '0.1667', '0.1667']
    assert {row['command'] for row in rows} == {'python run'} and rows[0]['backend_version'] == '1.2.3'
    runs = json.loads((tmp_path / 'marl_eval.json').read_text())['smac_sim']['MMM']
    assert list(runs) == ['qmix', 'vdn'] and runs['qmix']['seed_0']['absolute_metrics'] == {'win_rate': [1.]}
    assert all(list(run) == ['step_0', 'step_1', 'step_2', 'absolute_metrics'] for run in runs['qmix'].values())
    assert runs['qmix']['seed_0']['step_2'] == {'step_count': 20600, 'elapsed_time': 120., 'win_rate': [.5]}


@pytest.mark.unittest
@pytest.mark.usefixtures('scripted')
@pytest.mark.parametrize('policy', ['qmix', 'diengine_qmix'])
def test_run_trains_plays_the_best_policy_and_is_not_done_twice(
        load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('ding.config.config.save_config', lambda *args, **kwargs: None)  # takes longer than the run
    learning, run = load('benchmark/learning'), load('benchmark/learning_run')
    sizes = 'policy.learn.batch_size=4 policy.learn.update_per_collect=1 policy.collect.n_episode=8'
    few = 'policy.collect.unroll_len=2' if policy == 'diengine_qmix' else 'policy.learn.gradient=autograd'
    envs = 'env.collector_env_num=4 policy.collect.env_num=4 env.evaluator_env_num=2 policy.eval.env_num=2'
    episodes = '--env-step 60 --eval-env-steps 30 --eval-episodes 4 --absolute-episodes 6'
    text = f'--maps 3m --policies {policy} --label tiny --seeds 0 {episodes} --set {sizes} {few} {envs}'
    spec, = learning.make_specs(_options(learning, text))
    out = tmp_path / '3m_tiny_seed0.json'
    run.main([json.dumps(spec._asdict()), str(out)])
    result = json.loads(out.read_text())
    steps = [row['env_step'] for row in result['evaluations']]
    assert steps[0] == 0 and all(30 <= later - step < 60 for step, later in zip(steps, steps[1:])) and steps[-1] >= 30
    # Six envs play one battle each, and the script's first one is won.
    assert result['absolute_win_rate'] == 1. and result['best_env_step'] in steps
    assert '--label tiny --set policy.learn.batch_size=4' in result['command']
    # An installed package lies outside the repository; then no commit can be told.
    assert result['commit'] == describe_run()['commit'] and result['machine']
    assert learning.is_finished(spec, str(tmp_path)) and not (tmp_path / '3m_tiny_seed0_best').exists()
