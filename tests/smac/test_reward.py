import numpy as np
import pytest

from ding_qmix.smac.reward import (
    DRAWN,
    LOST,
    ONGOING,
    WON,
    RewardOptions,
    battle_result,
    battle_reward,
    end_reward,
    reward_divisor,
)
from ding_qmix.smac.rules import created_units, make_rules
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.units import HEALTH, N_FIELDS, SHIELD


def rules_of(map_name):
    scenario = get_scenario(map_name)
    return make_rules(scenario, np.arange(len(created_units(scenario))), 'smac')


def table(rules, dead=()):
    unit = np.zeros((N_FIELDS, len(rules.health_max)))
    unit[HEALTH], unit[SHIELD] = rules.health_max, rules.shield_max
    unit[:, list(dead)] = 0.
    return unit


def reward(map_name, changes, **options):
    """Return the raw reward after units lost what ``changes`` says: {unit: (health, shield)} left."""
    rules = rules_of(map_name)
    unit = table(rules)
    before = unit[HEALTH] + unit[SHIELD]
    for u, (health, shield) in changes.items():
        unit[HEALTH, u], unit[SHIELD, u] = health, shield
    return battle_reward(unit, before, rules, RewardOptions(**options))


@pytest.mark.unittest
def test_damage_to_enemies_counts_health_and_shield():
    assert reward('2s3z', {5: (70., 0.), 6: (80., 50.)}) == 90. + 30.


@pytest.mark.unittest
def test_kill_adds_ten_and_what_was_left():
    assert reward('3m', {3: (0., 0.)}) == 55.


@pytest.mark.unittest
def test_losses_of_allies_are_ignored_by_default():
    assert reward('3m', {0: (0., 0.), 3: (39., 0.)}) == 6.


@pytest.mark.unittest
def test_shield_regeneration_of_enemies_adds_reward():
    rules = rules_of('2s3z')
    unit = table(rules)
    before = unit[HEALTH] + unit[SHIELD]
    before[5] -= 12.
    assert battle_reward(unit, before, rules, RewardOptions()) == 12.


@pytest.mark.unittest
def test_losses_of_allies_cost_half_with_reward_only_positive_off():
    assert reward('3m', {0: (0., 0.), 1: (35., 0.), 3: (39., 0.)}, reward_only_positive=False) == 6. - 5. - 22.5 - 5.


@pytest.mark.unittest
def test_dead_before_does_not_count_again():
    rules = rules_of('3m')
    unit = table(rules, dead=[3])
    assert battle_reward(unit, unit[HEALTH] + unit[SHIELD], rules, RewardOptions()) == 0.


@pytest.mark.unittest
def test_sparse_reward_is_one_or_minus_one_at_the_end():
    options = RewardOptions(reward_sparse=True)
    assert reward('3m', {3: (0., 0.)}, reward_sparse=True) == 0.
    assert [end_reward(r, options) for r in (ONGOING, WON, LOST, DRAWN)] == [0., 1., -1., 0.]


@pytest.mark.unittest
def test_end_reward_is_200_for_a_win_only():
    assert [end_reward(r, RewardOptions()) for r in (ONGOING, WON, LOST, DRAWN)] == [0., 200., 0., 0.]


@pytest.mark.unittest
def test_clean_win_sums_to_the_scale_rate():
    rules, options = rules_of('MMM'), RewardOptions()
    unit = table(rules, dead=range(10, 20))
    whole = table(rules)
    raw = battle_reward(unit, whole[HEALTH] + whole[SHIELD], rules, options) + end_reward(WON, options)
    assert raw / reward_divisor(rules, options) == pytest.approx(20.)


@pytest.mark.unittest
def test_unscaled_reward_is_raw():
    assert reward_divisor(rules_of('MMM'), RewardOptions(reward_scale=False)) == 1.


@pytest.mark.unittest
@pytest.mark.parametrize(
    'map_name, dead, result',
    [
        ('3m', [], ONGOING),
        ('3m', [0, 1, 2], LOST),
        ('3m', [3, 4, 5], WON),
        ('3m', range(6), DRAWN),
        ('MMM', range(9), LOST),  # the allied medivac is left (units in order of creation)
        ('MMM', range(10, 19), WON),  # the enemy medivac is left
        ('MMM', [9, 19], ONGOING),
        ('MMM', [*range(9), *range(10, 20)], LOST),  # the loss is tested first
    ]
)
def test_battle_result_follows_smac(map_name, dead, result):
    rules = rules_of(map_name)
    assert battle_result(table(rules, dead), rules) == result
