"""Whom enemies attack, as recordings of the game show it."""
import numpy as np
import pytest
from battlefield import Battlefield

from ding_qmix.sim.state import TARGET
from ding_qmix.smac.rules import EAST, FIRST_TARGET, STOP
from ding_qmix.smac.units import COOLDOWN, HEALTH, X


def target_of(field: Battlefield, u: int) -> int:
    return int(field.battle.decision[TARGET, u])


def keep_alive(field: Battlefield) -> None:
    field.battle.unit[HEALTH] = 1e6


@pytest.mark.unittest
@pytest.mark.parametrize('first_order, target', [(None, 0), (STOP, 0), (EAST, 0), (FIRST_TARGET, 1)])
def test_enemy_prefers_an_ally_with_the_order_to_attack_it_to_a_nearer_one(first_order, target):
    field = Battlefield([('stalker', 12., 16.), ('stalker', 18., 16.)], [('zealot', 14., 16.), ('zealot', 28., 28.)])
    field.battle.unit[COOLDOWN, :2] = 999.  # nobody is hit
    if first_order is not None:
        field.order(1, first_order)
    field.play()
    assert target_of(field, 2) == target


@pytest.mark.unittest
def test_order_to_attack_another_enemy_counts_nothing():
    field = Battlefield([('stalker', 12., 16.), ('stalker', 18., 16.)], [('zealot', 14., 16.), ('zealot', 18., 18.)])
    field.battle.unit[COOLDOWN, :2] = 999.
    field.order(1, FIRST_TARGET + 1)
    field.play()
    assert target_of(field, 2) == 0 and target_of(field, 3) == 1


@pytest.mark.unittest
def test_of_several_attackers_the_nearest_is_taken():
    field = Battlefield([('stalker', 12., 16.), ('stalker', 18., 16.)], [('zealot', 15.5, 16.)])
    for u in range(2):
        field.order(u, FIRST_TARGET)
    field.play()
    assert target_of(field, 2) == 1


@pytest.mark.unittest
def test_zealot_leaves_an_idle_ally_beside_it_for_its_attacker_but_not_an_attacker():
    for orders, target in (((STOP, FIRST_TARGET), 1), ((FIRST_TARGET, FIRST_TARGET), 0)):
        field = Battlefield([('stalker', 12., 16.), ('stalker', 17., 16.)], [('zealot', 13.2, 16.)])
        field.play()
        assert target_of(field, 2) == 0
        for u, order in enumerate(orders):
            field.order(u, order)
        field.play(8)
        assert target_of(field, 2) == target


@pytest.mark.unittest
def test_spine_crawler_stays_with_an_attacker_when_another_comes_nearer_until_it_stops_attacking():
    field = Battlefield([('stalker', 10., 16.), ('stalker', 10., 18.)], [('spine_crawler', 16., 16.)])
    keep_alive(field)
    for u in range(2):
        field.order(u, FIRST_TARGET)
    field.play(8)
    assert target_of(field, 2) == 0
    field.battle.unit[X, 1] = 13.
    field.play(60)
    assert target_of(field, 2) == 0
    field.order(0, STOP)
    field.play(8)
    assert target_of(field, 2) == 1


@pytest.mark.unittest
def test_enemies_look_for_targets_every_8_loops_each_at_a_loop_of_its_own():
    seen = set()
    for seed in range(40):
        field = Battlefield([('stalker', 12., 16.)], [('spine_crawler', 16., 16.)], seed=seed, look_period=8)
        loops = next(k for k in range(1, 10) if field.play() or target_of(field, 1) == 0)
        seen.add(loops)
    assert seen == set(range(1, 9))


@pytest.mark.unittest
def test_enemy_that_is_hit_looks_at_once():
    waited = []
    for seed in range(40):
        field = Battlefield(
            [('stalker', 11., 16.), ('marine', 18., 16.)], [('zealot', 14., 16.)], seed=seed, look_period=8
        )
        field.play(8)
        assert target_of(field, 2) == 0
        field.order(1, FIRST_TARGET)
        waited.append(next(k for k in range(1, 10) if field.play() or target_of(field, 2) == 1))
    assert max(waited) == 3 and np.mean(waited) > 1.5  # a marine hits in its second loop
