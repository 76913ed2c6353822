"""Configs in Python: the skeleton of main_config and create_config for a map, sizes filled in from it."""
import os
import warnings
from typing import Any, Optional

from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.config_check import check_config, check_model_sizes, check_part, model_sizes
from ding_qmix.hyper_parameters import HyperParameters, hyper_parameters
from ding_qmix.schema import FOLDER, SECTION, check_value, optional
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import make_view_options

__all__ = ['check_config', 'check_model_sizes', 'given_sections', 'make_config', 'model_sizes']

_PIPELINES: dict[str, dict[str, dict[str, Any]]] = {
    # This package's parts: batched from env step to gradient.
    'batched': dict(
        env_manager=dict(type='ding_smac_vector', import_names=['ding_qmix']),
        collector=dict(type='ding_qmix_vector', import_names=['ding_qmix']),
        replay_buffer=dict(type='ding_qmix_episode', import_names=['ding_qmix']),
        evaluator=dict(type='ding_qmix_win_rate', import_names=['ding_qmix']),
    ),
    # DI-engine's own parts around our env, model and policy.
    'ding': dict(
        env_manager=dict(type='base'),
        collector=dict(type='episode', get_train_sample=True),
        replay_buffer=dict(type='naive'),
        evaluator=dict(type='interaction'),
    ),
}
_EVALUATORS: dict[str, dict[str, Any]] = {'batched': dict(eval_env_step_freq=10000), 'ding': {}}  # [env steps]
_OLD_NAMES = {'fast': 'batched', 'stock': 'ding'}  # of pipelines, in version 0.1


def make_config(
        map_name: str,
        pipeline: str = 'batched',
        exp_name: Optional[str] = None,
        env: Optional[dict] = None,
        policy: Optional[dict] = None,
        create: Optional[dict] = None,
        road: Optional[str] = None,
        preset: str = 'default',
) -> tuple[EasyDict, EasyDict]:
    """
    Overview:
        Build the pair of configs that DI-engine's pipelines take. What is not given is as in the preset, and else keeps
        the default of the part that it belongs to; the sizes in ``policy.model`` come from the map.
    Arguments:
        - map_name: a SMAC map, such as 'MMM'
        - pipeline: 'batched' for this package's env manager, collector, buffer and evaluator, 'ding' for DI-engine's
        - exp_name: folder of logs and checkpoints; None makes one from the map
        - env, policy: sections of main_config that override
        - create: sections of create_config that override, such as dict(env_manager=dict(type='subprocess'))
        - road: deprecated name of ``pipeline``
        - preset: hyper-parameters to begin from, 'default' or 'pymarl', see ``ding_qmix.hyper_parameters``
    Returns:
        - main_config, create_config
    Raises:
        - ValueError: unknown map, pipeline or preset, two maps, a size in ``policy.model`` that is not the map's, \
            an env option that is for other policies, or what ``ding_qmix.config_check.check_config`` refuses
    Examples:
        >>> main_config, create_config = make_config('MMM', policy=dict(learn=dict(batch_size=64)))
    """
    pipeline = _current_name(pipeline if road is None else road, is_road=road is not None)
    if pipeline not in tuple(_PIPELINES):
        raise ValueError(f'make_config: pipeline {pipeline!r}, expected one of {tuple(_PIPELINES)}')
    begin = hyper_parameters(preset)
    env, policy, create = given_sections(env, policy, create)
    env = _env_section(map_name, begin.env, env)
    spec = make_spec(map_name, obs_style=env.get('obs_style', 'ding'), view=make_view_options(env))
    policy_defaults = dict(
        model=model_sizes(spec),
        collect=dict(env_num=env['collector_env_num']),
        eval=dict(env_num=env['evaluator_env_num'], evaluator=_EVALUATORS[pipeline]),
    )
    policy = deep_merge_dicts(_for_model(begin, policy), policy)
    exp_name = f'smac_{map_name}_qmix_seed0' if exp_name is None else exp_name
    check_value('exp_name', exp_name, FOLDER)
    main_config = dict(
        exp_name=os.path.relpath(exp_name) if os.path.isabs(exp_name) else exp_name,  # DI-engine puts './' before it
        env=env,
        policy=deep_merge_dicts(policy_defaults, policy)
    )
    create_config = dict(
        env=dict(type='ding_smac', import_names=['ding_qmix']),
        policy=dict(type='ding_qmix', import_names=['ding_qmix']),
        **_PIPELINES[pipeline],
    )
    create_config = deep_merge_dicts(create_config, create)
    _let_cut(create_config['collector'])
    check_config(main_config, create_config)
    return EasyDict(main_config), EasyDict(create_config)


def given_sections(*sections: Any) -> list[dict[str, Any]]:
    """Return arguments env, policy and create as sections, {} for None; ValueError if one is something else."""
    for name, section in zip(('env', 'policy', 'create'), sections):
        check_value(name, section, optional(SECTION))
    return [{} if section is None else section for section in sections]


def _for_model(begin: HyperParameters, policy: dict[str, Any]) -> dict[str, Any]:
    """Return the preset's policy section, without what the model that ``policy`` names may not know."""
    model = policy.get('model', {})
    check_value('policy.model', model, SECTION)
    if model.get('type', 'ding_qmix') != 'ding_qmix':
        return {section: keys for section, keys in begin.policy.items() if section != 'model'}
    return begin.policy


def _env_section(map_name: str, preset: dict[str, Any], env: dict[str, Any]) -> dict[str, Any]:
    """Return section ``env`` of main_config, or raise where it does not fit the map or policy ``ding_qmix``."""
    if env.get('map_name', map_name) != map_name:
        raise ValueError(f'make_config: map {map_name!r}, but env.map_name is {env["map_name"]!r}; leave it out of env')
    others = [name for name in ('obs_alone', 'independent_obs', 'special_global_state') if env.get(name)]
    if others:
        raise ValueError(f'make_config: env.{others[0]}=True, but policy ding_qmix takes the plain obs and state')
    section = deep_merge_dicts(dict(preset, map_name=map_name), env)
    check_part('env', 'env', {'type': 'ding_smac', **section})
    return section


def _let_cut(collector: Any) -> None:
    """Have DI-engine's collector hand out samples, as its default of False is of no use to the policy."""
    if isinstance(collector, dict) and collector.get('type') == 'episode':
        collector.setdefault('get_train_sample', True)


def _current_name(given: str, is_road: bool) -> str:
    """Return the name of the pipeline that ``make_config`` was given, with a warning where that is version 0.1's."""
    name = next((new for old, new in _OLD_NAMES.items() if old == given), given)
    if is_road or name != given:
        old = f'{"road" if is_road else "pipeline"}={given!r}'
        warnings.warn(f'make_config: {old} is deprecated, use pipeline={name!r}', DeprecationWarning, stacklevel=3)
    return name
