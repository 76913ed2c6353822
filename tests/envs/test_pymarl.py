"""StarCraft2Env: SMAC's other public methods, and the module in its place."""
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference.smac import ReferenceRules, Unit

from ding_qmix.envs.epymarl import SMACWrapper
from ding_qmix.envs.pymarl import StarCraft2Env
from ding_qmix.envs.replace_smac import get_map_params
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.terrain import pathing_grid
from ding_qmix.smac.units import UNIT_NAMES

# What EPyMARL gives to its env: the env_args of its sc2.yaml, the seed and two arguments of its runners.
EPYMARL_ARGS: dict[str, Any] = dict(
    continuing_episode=False,
    difficulty='7',
    game_version=None,
    map_name='3m',
    move_amount=2,
    obs_all_health=True,
    obs_instead_of_state=False,
    obs_last_action=False,
    obs_own_health=True,
    obs_pathing_grid=False,
    obs_terrain_height=False,
    obs_timestep_number=False,
    reward_death_value=10,
    reward_defeat=0,
    reward_negative_scale=0.5,
    reward_only_positive=True,
    reward_scale=True,
    reward_scale_rate=20,
    reward_sparse=False,
    reward_win=200,
    replay_dir='',
    replay_prefix='',
    state_last_action=False,
    state_timestep_number=False,
    step_mul=8,
    seed=3,
    heuristic_ai=False,
    heuristic_rest=False,
    debug=False,
    common_reward=True,
    reward_scalarisation='sum'
)
SCRIPT = """
import sys
from smac.env import MultiAgentEnv, StarCraft2Env
from smac.env.starcraft2.maps import get_map_params
import copied.starcraft
assert __name__ == '__main__' and issubclass(StarCraft2Env, MultiAgentEnv)
assert copied.starcraft.StarCraft2Env is StarCraft2Env
print(sys.argv[1:], StarCraft2Env(map_name='3m').get_obs_size(), get_map_params('3m')['limit'])
"""


def _play(env: StarCraft2Env, n_steps: int) -> None:
    """Let everybody take the last legal action, from the first step on; begin anew after an end."""
    env.reset()
    for _ in range(n_steps):
        if env.step([int(np.flatnonzero(row)[-1]) for row in env.get_avail_actions()])[1]:
            env.reset()


def _reference(map_name: str) -> ReferenceRules:
    scenario = SCENARIOS[map_name]
    return ReferenceRules(
        scenario.map_type, scenario.ally_race, scenario.enemy_race, scenario.n_agents, scenario.n_enemies,
        pathing_grid(scenario.terrain).tolist()
    )


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', SCENARIOS)
@pytest.mark.parametrize('state_timestep_number', [False, True])
def test_pymarl_state_dict_holds_the_state(map_name: str, state_timestep_number: bool) -> None:
    env = StarCraft2Env(map_name, seed=0, state_timestep_number=state_timestep_number)
    _play(env, 9)
    parts = env.get_state_dict()
    allies, enemies = parts['allies'], parts['enemies']
    assert allies.shape == (env.n_agents, env.get_ally_num_attributes())
    assert enemies.shape == (env.n_enemies, env.get_enemy_num_attributes())
    row = np.concatenate([np.ravel(parts[name]) for name in parts]).astype(np.float32)
    assert list(parts) == ['allies', 'enemies', 'last_action', *['timestep'] * state_timestep_number]
    np.testing.assert_allclose(row, env.get_state(), rtol=1e-6, atol=1e-7)


@pytest.mark.unittest
@pytest.mark.parametrize('map_name', ['3m', 'MMM', '2s3z', '2m_vs_1z'])
def test_pymarl_visibility_matrix_agrees_with_what_the_obs_show(map_name: str) -> None:
    env, reference = StarCraft2Env(map_name, seed=0), _reference(map_name)
    for n_steps in (0, 6, 14):
        _play(env, n_steps)
        units = env.units()
        fields = (units.x, units.y, units.health, units.shield, units.energy, units.cooldown)
        rows = zip(units.unit_type[0], *(field[0].tolist() for field in fields))
        records = [Unit(UNIT_NAMES[kind], *row) for kind, *row in rows]
        assert env.get_visibility_matrix().tolist() == reference.visibility(records)


@pytest.mark.unittest
def test_pymarl_features_are_named_as_in_smac() -> None:
    info = StarCraft2Env('2s3z').get_env_info()
    assert info['agent_features'] == ['health', 'energy/cooldown', 'rel_x', 'rel_y', 'shield', 'type_0', 'type_1']
    assert info['enemy_features'] == ['health', 'rel_x', 'rel_y', 'shield', 'type_0', 'type_1']
    assert info['state_shape'] == 120 and StarCraft2Env('3m').get_env_info()['enemy_features'] == [
        'health', 'rel_x', 'rel_y'
    ]


@pytest.mark.unittest
def test_pymarl_sizes_of_the_blocks_add_up_to_the_obs() -> None:
    env = StarCraft2Env('2s3z', obs_last_action=True, obs_pathing_grid=True, obs_timestep_number=True)
    enemies, allies = env.get_obs_enemy_feats_size(), env.get_obs_ally_feats_size()
    assert (enemies, allies) == ((5, 8), (4, 8 + 11))
    assert (env.get_obs_move_feats_size(), env.get_obs_own_feats_size()) == (12, 5)
    assert env.get_obs_size() == 12 + 5 * 8 + 4 * 19 + 5
    assert (env.unit_shoot_range(0), env.unit_sight_range(0)) == (6, 9)


@pytest.mark.unittest
def test_pymarl_counts_are_attributes_too() -> None:
    env = StarCraft2Env('3m', seed=0)
    _play(env, 100)
    stats = env.get_stats()
    assert env.battles_game == stats['battles_game'] > 0
    assert (env.battles_won, env.timeouts, env.force_restarts) == (stats['battles_won'], stats['timeouts'], 0)


@pytest.mark.unittest
def test_pymarl_map_params_are_smacs() -> None:
    assert get_map_params('MMM') == dict(
        n_agents=10, n_enemies=10, limit=150, a_race='T', b_race='T', unit_type_bits=3, map_type='MMM'
    )


@pytest.mark.unittest
def test_epymarl_args_of_its_own_config_are_accepted() -> None:
    env = SMACWrapper(**EPYMARL_ARGS)
    assert (env.get_obs_size(), env.get_state_size(), env.episode_limit) == (30, 48 - 27, 60)


@pytest.mark.unittest
def test_epymarl_step_returns_five_things_and_reset_an_info() -> None:
    env = SMACWrapper('3m', seed=3)
    obs, info = env.reset(seed=5, options=None)
    assert info == {} and env.seed() == 5 and np.array_equal(obs, env.get_obs())
    obs, reward, terminated, truncated, info = env.step([1, 1, 1])
    assert np.array_equal(obs, env.get_obs()) and isinstance(reward, float)
    assert (terminated, truncated, info) == (False, False, dict(battle_won=False, dead_allies=0, dead_enemies=0))


@pytest.mark.unittest
def test_epymarl_without_a_common_reward_is_refused() -> None:
    with pytest.raises(ValueError, match='set common_reward=True'):
        SMACWrapper('3m', common_reward=False)


@pytest.mark.unittest
def test_replace_smac_runs_a_script_that_imports_smac(tmp_path: Path, repo: Path) -> None:
    script = tmp_path / 'train.py'
    script.write_text(SCRIPT)
    command = ['-m', 'ding_qmix.envs.replace_smac', '--module', 'copied', '--module', 'copied.starcraft', str(script)]
    arguments = ['--config=qmix', 'with', 'a=1']
    run = subprocess.run([sys.executable, *command, *arguments], capture_output=True, text=True, cwd=repo, check=False)
    assert run.stdout == f'{arguments} 30 60\n', run.stderr


@pytest.mark.unittest
def test_replace_smac_after_smac_was_imported_is_refused(repo: Path) -> None:
    code = 'from ding_qmix.envs.replace_smac import replace_smac; replace_smac(); replace_smac()'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=repo, check=False)
    assert 'RuntimeError: replace_smac: smac is imported already' in run.stderr
