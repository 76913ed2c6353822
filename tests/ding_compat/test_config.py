"""make_ding_config and move_to_map: sizes from the map under each policy's names, and what they refuse."""
import importlib
from typing import Any

import pytest

from ding_qmix.config import make_config
from ding_qmix.ding_compat import config as ding_config
from ding_qmix.ding_compat.config import DING_POLICIES, ding_model_sizes, make_ding_config, move_to_map

TEAM = dict(agent_num=10, obs_shape=186, global_obs_shape=290, action_shape=16)
# Sizes of MMM as DI-engine's published configs state them.
SIZES_MMM = {
    'qmix': TEAM,
    'wqmix': TEAM,
    'qtran': TEAM,
    'collaq': dict(TEAM, alone_obs_shape=114, self_feature_range=[156, 176], ally_feature_range=[84, 156]),
    'coma': dict(agent_num=10, obs_shape=dict(agent_state=186, global_state=290), action_shape=16),
    'madqn': dict(TEAM, global_obs_shape=389),
    'ppo': dict(agent_num=10, agent_obs_shape=186, global_obs_shape=389, action_shape=16),
    'discrete_sac': dict(agent_obs_shape=186, global_obs_shape=389, action_shape=16),
}


@pytest.mark.unittest
@pytest.mark.parametrize('policy_type', DING_POLICIES)
def test_sizes_are_the_published_ones(policy_type: str) -> None:
    main, create = make_ding_config('MMM', policy_type)
    assert main.policy.model == SIZES_MMM[policy_type] and create.policy.type == policy_type
    assert (main.policy.collect.env_num, main.policy.eval.env_num) == (8, 8)


@pytest.mark.unittest
def test_independent_obs_may_stand_for_the_views() -> None:
    main, _ = make_ding_config('MMM', 'ppo', env=dict(special_global_state=False, independent_obs=True))
    assert main.policy.model.global_obs_shape == 186


@pytest.mark.unittest
@pytest.mark.parametrize('name', ['collaq', 'mappo', 'qmix', 'qmix_ding_pipeline'])
def test_moved_config_has_the_new_maps_sizes_and_leaves_the_shipped_one(name: str) -> None:
    shipped = importlib.import_module(f'dizoo_configs.smac_MMM_{name}_config')
    main, create = move_to_map(shipped.main_config, shipped.create_config, '3s5z')
    assert main.env.map_name == '3s5z' and main.exp_name.startswith('smac_3s5z_')
    assert main.policy.model.agent_num == 8 and main.policy.model.action_shape == 14
    if create.policy.type != 'ding_qmix':
        assert ding_model_sizes(create.policy.type, main.env).items() <= main.policy.model.items()
    assert shipped.main_config.env.map_name == 'MMM' and shipped.main_config.policy.model.agent_num == 10


@pytest.mark.unittest
@pytest.mark.parametrize(
    'args, word', [
        (dict(policy_type='qmixx'), "'qmix'"),
        (dict(policy_type='qmix', map_name='MMMM'), "'MMM'"),
        (dict(policy_type='qmix', env=dict(map_name='3m')), "'3m'"),
        (dict(policy_type='qmix', policy=dict(model=dict(obs_shape=160))), r'obs_shape=160 \(map: 186\)'),
        (dict(policy_type='qmix', env=dict(special_global_state=True)), 'needs neither'),
        (dict(policy_type='ppo', env=dict(special_global_state=False)), 'needs special_global_state or'),
        (dict(policy_type='collaq', env=dict(obs_alone=False)), 'obs_alone=True'),
    ]
)
def test_bad_arguments_are_refused(args: dict, word: str) -> None:
    kwargs: dict = dict(dict(map_name='MMM'), **args)
    with pytest.raises(ValueError, match=word):
        make_ding_config(**kwargs)


@pytest.mark.unittest
@pytest.mark.parametrize('option', ['obs_alone', 'independent_obs', 'special_global_state'])
def test_our_policy_refuses_the_others_options(option: str) -> None:
    env: Any = {option: True}
    with pytest.raises(ValueError, match=option):
        make_config('MMM', env=env)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'old, new', [
        ('make_host_config', 'make_ding_config'),
        ('host_model_sizes', 'ding_model_sizes'),
        ('HOST_POLICIES', 'DING_POLICIES'),
    ]
)
def test_old_names_are_taken_with_a_warning(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f'{old} is deprecated, use {new}'):
        assert getattr(ding_config, old) is getattr(ding_config, new)


@pytest.mark.unittest
def test_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match='make_hots_config'):
        _ = ding_config.make_hots_config
