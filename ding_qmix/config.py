"""Configs in Python: the skeleton of main_config and create_config for a map, sizes filled in from it."""
import os
import warnings
from typing import Any, Optional

from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.hyper_parameters import HyperParameters, hyper_parameters
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import make_view_options
from ding_qmix.spec import EnvSpec

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
        - ValueError: unknown map, pipeline or preset, two maps, a size in ``policy.model`` that is not the map's, or \
            an env option that is for other policies
    Examples:
        >>> main_config, create_config = make_config('MMM', policy=dict(learn=dict(batch_size=64)))
    """
    pipeline = _current_name(pipeline if road is None else road, is_road=road is not None)
    if pipeline not in _PIPELINES:
        raise ValueError(f'make_config: pipeline {pipeline!r}, expected one of {tuple(_PIPELINES)}')
    begin = hyper_parameters(preset)
    env = _env_section(map_name, begin.env, env or {})
    spec = make_spec(map_name, obs_style=env.get('obs_style', 'ding'), view=make_view_options(env))
    policy_defaults = dict(
        model=model_sizes(spec),
        collect=dict(env_num=env['collector_env_num']),
        eval=dict(env_num=env['evaluator_env_num'], evaluator=_EVALUATORS[pipeline]),
    )
    policy = deep_merge_dicts(_for_model(begin, policy or {}), policy or {})
    exp_name = exp_name or f'smac_{map_name}_qmix_seed0'
    main_config = dict(
        exp_name=os.path.relpath(exp_name) if os.path.isabs(exp_name) else exp_name,  # DI-engine puts './' before it
        env=env,
        policy=deep_merge_dicts(policy_defaults, policy)
    )
    check_model_sizes(main_config['policy']['model'], spec)
    create_config = dict(
        env=dict(type='ding_smac', import_names=['ding_qmix']),
        policy=dict(type='ding_qmix', import_names=['ding_qmix']),
        **_PIPELINES[pipeline],
    )
    return EasyDict(main_config), EasyDict(deep_merge_dicts(create_config, create or {}))


def model_sizes(spec: EnvSpec) -> dict[str, Any]:
    """Return the sizes of ``policy.model`` for a map, under DI-engine's names."""
    return dict(
        agent_num=spec.n_agents,
        obs_shape=spec.obs_dim,
        global_obs_shape=spec.state_dim,
        action_shape=spec.n_actions,
        hidden_size_list=[64],
    )


def check_model_sizes(model: dict[str, Any], spec: EnvSpec) -> None:
    """
    Overview:
        Compare the sizes in ``policy.model`` with the map's.
    Raises:
        - ValueError: names every size that is off, with both numbers
    """
    sizes = {key: value for key, value in model_sizes(spec).items() if key != 'hidden_size_list'}
    wrong = [f'{key}={model[key]} (map: {size})' for key, size in sizes.items() if model[key] not in (size, [size])]
    if wrong:
        raise ValueError(
            f'config policy.model does not fit map {spec.map_name} with obs style {spec.obs_style!r}: '
            f'{", ".join(wrong)}; leave the sizes out and let ding_qmix.config.make_config fill them in'
        )


def _for_model(begin: HyperParameters, policy: dict[str, Any]) -> dict[str, Any]:
    """Return the preset's policy section, without what the model that ``policy`` names may not know."""
    if policy.get('model', {}).get('type', 'ding_qmix') != 'ding_qmix':
        return {section: keys for section, keys in begin.policy.items() if section != 'model'}
    return begin.policy


def _env_section(map_name: str, preset: dict[str, Any], env: dict[str, Any]) -> dict[str, Any]:
    """Return section ``env`` of main_config, or raise where it does not fit the map or policy ``ding_qmix``."""
    if env.get('map_name', map_name) != map_name:
        raise ValueError(f'make_config: map {map_name!r}, but env.map_name is {env["map_name"]!r}; leave it out of env')
    others = [name for name in ('obs_alone', 'independent_obs', 'special_global_state') if env.get(name)]
    if others:
        raise ValueError(f'make_config: env.{others[0]}=True, but policy ding_qmix takes the plain obs and state')
    return deep_merge_dicts(dict(preset, map_name=map_name), env)


def _current_name(given: str, is_road: bool) -> str:
    """Return the name of the pipeline that ``make_config`` was given, with a warning where that is version 0.1's."""
    name = _OLD_NAMES.get(given, given)
    if is_road or name != given:
        old = f'{"road" if is_road else "pipeline"}={given!r}'
        warnings.warn(f'make_config: {old} is deprecated, use pipeline={name!r}', DeprecationWarning, stacklevel=3)
    return name
