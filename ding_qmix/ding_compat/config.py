"""Configs of DI-engine's own policies on env ``ding_smac``: the env options they need, sizes filled in from the map."""
import copy
import warnings
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.config import given_sections, model_sizes
from ding_qmix.config_check import check_config, check_part
from ding_qmix.schema import SECTION, check_value
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import make_view_options
from ding_qmix.spec import EnvSpec
from ding_qmix.utils.keys import nearest_hint

Sizes = dict[str, Any]
_EPISODES = dict(type='episode', get_train_sample=True)  # whole episodes, cut into chunks by the policy
_STEPS = dict(type='sample')


class _DingPolicy(NamedTuple):
    """What a policy of DI-engine needs around it."""
    sizes: Callable[[EnvSpec, int], Sizes]  # of policy.model, from the map and the length of global_state's last axis
    collector: dict[str, Any]
    env: dict[str, Any]  # options that show it what it takes
    agent_states: bool  # global_state must have one row per agent


def make_ding_config(
        map_name: str,
        policy_type: str,
        exp_name: Optional[str] = None,
        env: Optional[dict] = None,
        policy: Optional[dict] = None,
        create: Optional[dict] = None,
) -> tuple[EasyDict, EasyDict]:
    """
    Overview:
        Build the pair of configs with which one of DI-engine's policies trains on a SMAC map. What is not given keeps
        DI-engine's default; the sizes in ``policy.model`` come from the map.
    Arguments:
        - map_name: a SMAC map, such as 'MMM'
        - policy_type: one of ``DING_POLICIES``; 'ppo' is MAPPO and runs in DI-engine's on-policy pipeline, \
            'discrete_sac' is MASAC
        - exp_name: folder of logs and checkpoints; None makes one from map and policy
        - env, policy: sections of main_config that override
        - create: sections of create_config that override, such as dict(env_manager=dict(type='subprocess'))
    Returns:
        - main_config, create_config
    Raises:
        - ValueError: unknown map or policy, two maps, a size in ``policy.model`` that is not the map's, or env \
            options that do not show what the policy takes
    """
    if policy_type not in DING_POLICIES:
        raise ValueError(
            f'make_ding_config: unknown policy {policy_type!r}; {nearest_hint(str(policy_type), DING_POLICIES)}'
        )
    needs = _POLICIES[policy_type]
    env, policy, create = given_sections(env, policy, create)
    env = deep_merge_dicts(dict(_ENV, map_name=map_name, **needs.env), env)
    if env['map_name'] != map_name:
        raise ValueError(f'make_ding_config: map {map_name!r}, but env.map_name is {env["map_name"]!r}')
    check_part('env', 'env', {'type': 'ding_smac', **env})
    sizes = ding_model_sizes(policy_type, env)
    policy_defaults = dict(
        model=sizes, collect=dict(env_num=env['collector_env_num']), eval=dict(env_num=env['evaluator_env_num'])
    )
    policy = deep_merge_dicts(policy_defaults, policy)
    model = policy['model']
    check_value('policy.model', model, SECTION)
    wrong = [f'{key}={model[key]} (map: {size})' for key, size in sizes.items() if model[key] != size]
    if wrong:
        raise ValueError(f'config policy.model does not fit map {map_name}: {", ".join(wrong)}; leave the sizes out')
    create_config = dict(
        env=dict(type='ding_smac', import_names=['ding_qmix']),
        env_manager=dict(type='ding_smac_vector', import_names=['ding_qmix']),
        policy=dict(type=policy_type),
        collector=needs.collector,
    )
    exp_name = f'smac_{map_name}_{policy_type}_seed0' if exp_name is None else exp_name
    main_config = dict(exp_name=exp_name, env=env, policy=policy)
    create_config = deep_merge_dicts(create_config, create)
    check_config(main_config, create_config)
    return EasyDict(main_config), EasyDict(create_config)


def ding_model_sizes(policy_type: str, env: Mapping[str, Any]) -> Sizes:
    """
    Overview:
        Return the sizes of ``policy.model`` for an env section, under the names that the policy gives them.
    Raises:
        - ValueError: the env's options do not show what the policy takes
    """
    needs = _POLICIES[policy_type]
    special, independent = env.get('special_global_state', False), env.get('independent_obs', False)
    style, view = env.get('obs_style', 'ding'), make_view_options(env)
    spec = make_spec(env['map_name'], style, special_global_state=special, view=view)
    if needs.agent_states != bool(special or independent):
        how = 'special_global_state or independent_obs' if needs.agent_states else 'neither, it takes one state for all'
        raise ValueError(f'policy {policy_type!r} on env ding_smac: of its options for the state it needs {how}')
    if policy_type == 'collaq' and not env.get('obs_alone', False):
        raise ValueError("policy 'collaq' on env ding_smac: it needs obs_alone=True")
    return needs.sizes(spec, spec.obs_dim if independent else spec.state_shape[-1])


def move_to_map(main_config: EasyDict, create_config: EasyDict, map_name: str) -> tuple[EasyDict, EasyDict]:
    """
    Overview:
        Return copies of a pair of configs, of any policy of ``DING_POLICIES`` or 'ding_qmix', for another map.
    Raises:
        - ValueError: unknown map
    Examples:
        >>> main_config, create_config = move_to_map(main_config, create_config, '3m')
    """
    main_config, create_config = copy.deepcopy(main_config), copy.deepcopy(create_config)
    env, policy_type = main_config.env, create_config.policy.type
    main_config.exp_name = main_config.exp_name.replace(env.map_name, map_name)
    env.map_name = map_name
    if policy_type in _POLICIES:
        sizes = ding_model_sizes(policy_type, env)
    else:
        sizes = model_sizes(make_spec(map_name, env.get('obs_style', 'ding'), view=make_view_options(env)))
        del sizes['hidden_size_list']
    main_config.policy.model.update(sizes)
    return main_config, create_config


def _team_sizes(spec: EnvSpec, state_dim: int) -> Sizes:
    """Sizes of the networks that value a team's actions."""
    return dict(
        agent_num=spec.n_agents, obs_shape=spec.obs_dim, global_obs_shape=state_dim, action_shape=spec.n_actions
    )


def _collaq_sizes(spec: EnvSpec, state_dim: int) -> Sizes:
    """CollaQ's: its attention looks at two blocks of the obs, the agent itself and its allies."""
    layout = spec.obs_layout
    start, stop = layout.ally_block
    return dict(
        _team_sizes(spec, state_dim),
        alone_obs_shape=spec.obs_dim - (stop - start),
        self_feature_range=[stop, stop + layout.own + layout.timestep + layout.last_action],
        ally_feature_range=[start, stop],
    )


def _coma_sizes(spec: EnvSpec, state_dim: int) -> Sizes:
    """COMA's."""
    return dict(
        agent_num=spec.n_agents,
        obs_shape=dict(agent_state=spec.obs_dim, global_state=state_dim),
        action_shape=spec.n_actions,
    )


def _actor_critic_sizes(spec: EnvSpec, state_dim: int) -> Sizes:
    """MASAC's."""
    return dict(agent_obs_shape=spec.obs_dim, global_obs_shape=state_dim, action_shape=spec.n_actions)


def _mappo_sizes(spec: EnvSpec, state_dim: int) -> Sizes:
    """MAPPO's."""
    return dict(_actor_critic_sizes(spec, state_dim), agent_num=spec.n_agents)


_ENV: dict[str, Any] = dict(
    collector_env_num=8,
    evaluator_env_num=8,
    n_evaluator_episode=32,
    stop_value=2.,  # above 1: use the whole budget, so that runs can be compared
    illegal_action='stop',  # DI-engine's samplers draw an illegal action once in a long while
)
_AGENT_STATES = dict(special_global_state=True)
_POLICIES: dict[str, _DingPolicy] = {
    'qmix': _DingPolicy(_team_sizes, _EPISODES, {}, False),
    'wqmix': _DingPolicy(_team_sizes, _EPISODES, {}, False),
    'qtran': _DingPolicy(_team_sizes, _EPISODES, {}, False),
    'collaq': _DingPolicy(_collaq_sizes, _EPISODES, dict(obs_alone=True), False),
    'coma': _DingPolicy(_coma_sizes, _EPISODES, {}, False),
    'madqn': _DingPolicy(_team_sizes, _EPISODES, _AGENT_STATES, True),
    'ppo': _DingPolicy(_mappo_sizes, _STEPS, _AGENT_STATES, True),
    'discrete_sac': _DingPolicy(_actor_critic_sizes, _STEPS, dict(_AGENT_STATES, death_mask=True), True),
}
DING_POLICIES = tuple(_POLICIES)
_OLD_NAMES = {  # of version 0.1
    'make_host_config': 'make_ding_config',
    'host_model_sizes': 'ding_model_sizes',
    'HOST_POLICIES': 'DING_POLICIES',
}


def __getattr__(name: str) -> Any:
    """Return what has a new name, with a warning that names it."""
    if name not in _OLD_NAMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    new = _OLD_NAMES[name]
    warnings.warn(f'{__name__}.{name} is deprecated, use {new}', DeprecationWarning, stacklevel=2)
    return globals()[new]
