"""Scripted policies: what they choose on constructed boards, and how their battles end."""
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ding_qmix.baselines.evaluation import measure_policy
from ding_qmix.baselines.scripted import SCRIPTED_POLICIES, make_scripted_policy
from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.allocation import make_step
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, SOUTH, STOP, WEST
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS
from ding_qmix.spec import UnitSnapshot, VecStep

MOVES = (NORTH, SOUTH, EAST, WEST)


def _board(map_name: str, x: Sequence[float], y: Sequence[float], **fields: Sequence[float]) -> UnitSnapshot:
    """One battle with its units at these places, whole unless ``fields`` say otherwise."""
    units = SimVecEnv(map_name, 1, n_threads=1)
    units.reset()
    board: dict[str, Any] = units.units()._asdict()
    for name, values in dict(fields, x=x, y=y).items():
        board[name] = np.array([values], dtype=board[name].dtype)
    board['alive'] = board['health'] > 0.
    return UnitSnapshot(**board)


def _seen(map_name: str, units: UnitSnapshot, blocked: Sequence[int] = ()) -> VecStep:
    """A step whose mask allows targets within 6 of the agents, and all moves that are not blocked."""
    spec = make_spec(map_name)
    step = make_step(1, spec)
    healer = UNIT_NAMES.index('medivac')
    for u in range(spec.n_agents):
        mask = step.action_mask[0, u]
        mask[NO_OP] = not units.alive[0, u]
        if units.alive[0, u]:
            mask[STOP] = True
            mask[list(MOVES)] = [move not in blocked for move in MOVES]
            heals = units.unit_type[0, u] == healer
            first, count = (0, spec.n_agents) if heals else (spec.n_agents, spec.n_enemies)
            for i in range(count):
                v = first + i
                near = np.hypot(units.x[0, v] - units.x[0, u], units.y[0, v] - units.y[0, u]) <= 6.
                heals_itself = heals and units.unit_type[0, v] == healer
                mask[FIRST_TARGET + i] = near and units.alive[0, v] and not heals_itself
    return step


def _act(name: str, map_name: str, units: UnitSnapshot, blocked: Sequence[int] = ()) -> list:
    return make_scripted_policy(name, make_spec(map_name), 1).act(_seen(map_name, units, blocked), units)[0].tolist()


@pytest.mark.unittest
def test_closest_attacks_the_nearest_in_range() -> None:
    units = _board('3m', x=[10, 10, 10, 15, 14, 13], y=[10, 11, 12, 10, 11, 12])
    assert _act('closest', '3m', units) == [FIRST_TARGET + 2, FIRST_TARGET + 2, FIRST_TARGET + 2]


@pytest.mark.unittest
def test_closest_walks_along_the_longer_axis() -> None:
    units = _board('3m', x=[10, 20, 20, 20, 20, 20], y=[16, 8, 24, 17, 17, 17])
    assert _act('closest', '3m', units) == [EAST, NORTH, SOUTH]


@pytest.mark.unittest
@pytest.mark.parametrize('blocked, expected', [((EAST, ), NORTH), ((EAST, NORTH), STOP)])
def test_closest_goes_round_what_blocks_or_stops(blocked: tuple, expected: int) -> None:
    units = _board('3m', x=[10, 10, 10, 20, 20, 20], y=[10, 10, 10, 12, 12, 12])
    assert _act('closest', '3m', units, blocked) == [expected] * 3


@pytest.mark.unittest
def test_closest_sticks_to_its_target_until_it_dies() -> None:
    policy = make_scripted_policy('closest', make_spec('3m'), 1)
    x, y = [10, 10, 10, 14, 15, 15], [10, 10, 10, 10, 10, 10]
    first, nearer = _board('3m', x, y), _board('3m', [*x[:4], 12, 15], y)
    dead = _board('3m', [*x[:4], 12, 15], y, health=[45, 45, 45, 0, 45, 45])
    chosen = [policy.act(_seen('3m', board), board)[0, 0] - FIRST_TARGET for board in (first, nearer, dead)]
    assert chosen == [0, 0, 1]


@pytest.mark.unittest
def test_closest_forgets_targets_where_an_episode_ended() -> None:
    policy = make_scripted_policy('closest', make_spec('3m'), 1)
    x, y = [10, 10, 10, 14, 15, 15], [10, 10, 10, 10, 10, 10]
    first, nearer = _board('3m', x, y), _board('3m', [*x[:4], 12, 15], y)
    policy.act(_seen('3m', first), first)
    step = _seen('3m', nearer)
    step.terminated[0] = True
    assert policy.act(step, nearer)[0, 0] == FIRST_TARGET + 1


@pytest.mark.unittest
def test_closest_marauders_pass_over_the_medivac_and_the_medivac_heals() -> None:
    spec = make_spec('MMM')
    types = [UNIT_NAMES[i] for i in _board('MMM', [9] * 20, [16] * 20).unit_type[0]]
    x = [10.] * 10 + [13. if name == 'medivac' else 15. for name in types[10:]]
    health = [UNIT_STATS[UNIT_NAMES.index(name)].health for name in types]
    health[4] = 20.  # a marine
    actions = _act('closest', 'MMM', _board('MMM', x, [16.] * 20, health=health))
    marauder, marine, medivac = (types.index(name) for name in ('marauder', 'marine', 'medivac'))
    enemy_medivac = types.index('medivac', spec.n_agents) - spec.n_agents
    assert actions[marauder] != FIRST_TARGET + enemy_medivac and actions[marine] == FIRST_TARGET + enemy_medivac
    assert actions[medivac] == FIRST_TARGET + 4


@pytest.mark.unittest
def test_focus_shoots_the_weakest_in_weapon_range() -> None:
    health = [45, 45, 45, 45, 30, 10]  # enemy 2 is weaker, but its edge is 5.15 away
    units = _board('3m', x=[10, 10, 10, 12, 14, 15.9], y=[10] * 6, health=health)
    assert _act('focus', '3m', units) == [FIRST_TARGET + 1] * 3


@pytest.mark.unittest
def test_focus_goes_to_the_nearest_if_none_is_in_range() -> None:
    units = _board('3m', x=[10, 10, 10, 20, 21, 22], y=[10] * 6, health=[45, 45, 45, 45, 30, 10])
    assert _act('focus', '3m', units) == [EAST] * 3


@pytest.mark.unittest
def test_focus_medivac_follows_the_team() -> None:
    types = [UNIT_NAMES[i] for i in _board('MMM', [9] * 20, [16] * 20).unit_type[0]]
    x = [5. if u == types.index('medivac') else 12. for u in range(10)] + [25.] * 10
    assert _act('focus', 'MMM', _board('MMM', x, [16.] * 20))[types.index('medivac')] == EAST


@pytest.mark.unittest
def test_kite_shoots_when_ready_and_runs_when_not() -> None:
    x, y = [10, 10, 13], [16, 16, 16]
    ready = _board('2m_vs_1z', x, y, cooldown=[0, 8, 0])
    assert _act('kite', '2m_vs_1z', ready) == [FIRST_TARGET, WEST]


@pytest.mark.unittest
def test_kite_stands_while_the_melee_enemy_is_far() -> None:
    units = _board('2m_vs_1z', [10, 10, 15.5], [16, 16, 16], cooldown=[8, 8, 0])
    assert _act('kite', '2m_vs_1z', units) == [FIRST_TARGET] * 2


@pytest.mark.unittest
def test_kite_against_guns_is_focus() -> None:
    units = _board('3m', x=[10, 10, 10, 12, 12, 12], y=[10] * 6, cooldown=[9] * 6)
    assert _act('kite', '3m', units) == _act('focus', '3m', units)


@pytest.mark.unittest
@pytest.mark.parametrize('name', SCRIPTED_POLICIES)
@pytest.mark.parametrize('map_name', ['3m', 'MMM'])
def test_scripted_plays_legally_whole_episodes(name: str, map_name: str) -> None:
    battles = measure_policy(SimVecEnv(map_name, 8, n_threads=1), name)  # the env refuses what is illegal
    assert (battles.length > 0).all() and (battles.length <= make_spec(map_name).episode_limit).all()
    assert not (battles.won & battles.truncated).any()


@pytest.mark.unittest
def test_scripted_dead_agents_do_nothing() -> None:
    units = _board('3m', x=[10, 10, 10, 12, 12, 12], y=[10] * 6, health=[0, 45, 45, 45, 45, 45])
    assert {name: _act(name, '3m', units)[0] for name in SCRIPTED_POLICIES} == dict.fromkeys(SCRIPTED_POLICIES, NO_OP)


@pytest.mark.unittest
def test_random_draws_every_legal_action_equally_often() -> None:
    units = _board('3m', x=[10, 10, 10, 12, 30, 30], y=[10] * 6)
    policy, step = make_scripted_policy('random', make_spec('3m'), 1, seed=1), _seen('3m', units)
    drawn = np.bincount([policy.act(step, units)[0, 0] for _ in range(6000)], minlength=9)
    assert (drawn[[NO_OP, FIRST_TARGET + 1, FIRST_TARGET + 2]] == 0).all()
    assert (abs(drawn[[STOP, *MOVES, FIRST_TARGET]] - 1000) < 120).all()  # four standard deviations


@pytest.mark.unittest
def test_random_plays_the_same_whatever_the_number_of_envs() -> None:
    few, many = (measure_policy(SimVecEnv('3m', n, n_threads=1), 'random', seed=5) for n in (2, 6))
    assert few.episode_return.tolist() == many.episode_return[:2].tolist()


@pytest.mark.unittest
def test_baselines_stand_in_the_expected_order_on_8m() -> None:
    win_rate = {name: measure_policy(SimVecEnv('8m', 64, n_threads=1), name).won.mean() for name in SCRIPTED_POLICIES}
    assert win_rate['random'] == 0. and .1 < win_rate['closest'] < win_rate['focus']


@pytest.mark.unittest
def test_scripted_unknown_name_raises() -> None:
    with pytest.raises(ValueError, match="unknown scripted policy 'clsest'; did you mean 'closest'"):
        make_scripted_policy('clsest', make_spec('3m'), 1)


@pytest.mark.unittest
def test_scripted_step_of_another_batch_raises() -> None:
    env = SimVecEnv('3m', 2, n_threads=1)
    with pytest.raises(ValueError, match='built for 3 envs of 3 agents'):
        make_scripted_policy('closest', env.spec, 3).act(env.reset(), env.units())
