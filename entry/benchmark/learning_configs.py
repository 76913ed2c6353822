"""A run of ``learning.py`` and its configs: what dizoo_configs/ has for the map and policy, or for another map."""
import ast
import importlib
import importlib.util
import os
from typing import Any, NamedTuple

from easydict import EasyDict

from ding_qmix.ding_compat.config import move_to_map
from ding_qmix.smac.scenarios import SCENARIOS

Configs = tuple[EasyDict, EasyDict]


class RunSpec(NamedTuple):
    """One run."""
    map_name: str
    policy: str  # as in dizoo_configs/smac_<map>_<policy>_config.py
    seed: int
    env_step: int  # [env steps] budget
    label: str  # what the results call the policy with these settings
    settings: tuple[str, ...] = ()  # what differs from the config, such as 'policy.learn.td_lambda=0.8'
    backend: str = 'sim'
    n_threads: int = 1
    eval_env_steps: int = 10000  # [env steps] between evaluations
    eval_episodes: int = 32
    absolute_episodes: int = 320  # of the best policy

    @property
    def name(self) -> str:
        """The run's folder, as DI-engine's exp_name."""
        return f'{self.map_name}_{self.label}_seed{self.seed}'

    @property
    def command(self) -> str:
        """What repeats the run."""
        more = [f'--label {self.label}'] if self.label != self.policy else []
        more += [f'--set {" ".join(self.settings)}'] if self.settings else []
        more += [f'--backend {self.backend}'] if self.backend != 'sim' else []
        return ' '.join(
            [
                f'python entry/benchmark/learning.py --maps {self.map_name} --policies {self.policy}',
                f'--seeds {self.seed} --env-step {self.env_step} --threads {self.n_threads}', *more
            ]
        )


def run_configs(spec: RunSpec) -> Configs:
    """
    Overview:
        Return main_config and create_config of a run.
    Raises:
        - ValueError: dizoo_configs/ knows no such policy, or a setting is none
    """
    main, create = _shipped(spec.map_name, spec.policy)
    main.exp_name = spec.name
    main.env.update(backend=spec.backend, n_evaluator_episode=spec.eval_episodes, stop_value=2.)
    if spec.backend == 'sim':
        main.env.n_threads = spec.n_threads
    if create.policy.type == 'ding_qmix':
        main.policy.learn.n_threads = spec.n_threads
    if create.get('evaluator', {}).get('type') == 'ding_qmix_win_rate':
        main.policy.eval.evaluator.eval_env_step_freq = spec.eval_env_steps
    else:
        create.evaluator = EasyDict(type='benchmark_env_step', import_names=['learning_evaluator'])
        main.policy.eval.evaluator = EasyDict(eval_env_steps=spec.eval_env_steps)
    for setting in spec.settings:
        _set(main, setting)
    return main, create


def _shipped(map_name: str, policy: str) -> Configs:
    """The shipped configs of the map, or those of another map moved to it."""
    for other in (map_name, 'MMM', *SCENARIOS):
        short = '3svs5z' if other == '3s_vs_5z' else other.replace('_vs_', '')
        module = f'dizoo_configs.smac_{short}_{policy}_config'
        if importlib.util.find_spec(module) is not None:
            shipped = importlib.import_module(module)
            return move_to_map(shipped.main_config, shipped.create_config, map_name)
    raise ValueError(f'policy {policy!r}: there is no dizoo_configs/smac_<map>_{policy}_config.py')


def _set(main: EasyDict, setting: str) -> None:
    """Change one key of main_config, 'policy.learn.td_lambda=0.8'."""
    path, _, text = setting.partition('=')
    *sections, key = path.split('.')
    section: Any = main
    for name in sections:
        section = section.setdefault(name, EasyDict())
    if not text or sections[:1] not in (['policy'], ['env']):
        raise ValueError(f'--set {setting!r}, expected a key of main_config, such as policy.learn.td_lambda=0.8')
    try:
        section[key] = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        section[key] = text  # a plain word, such as rmsprop


def evaluations_path(folder: str, name: str) -> str:
    """Return where a run's evaluations are, below the folder of all runs."""
    return os.path.join(folder, name, 'log', 'evaluator', 'evaluations.csv')
