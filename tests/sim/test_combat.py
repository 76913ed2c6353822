import numpy as np
import pytest
from battlefield import Battlefield

from ding_qmix.smac.action_options import ActionOptions
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NO_OP, NORTH, STOP
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, X


def shots_to_kill(field: Battlefield, attacker: int, target: int, n_loops: int = 800) -> int:
    shots, before = 0, field.health(target)
    for _ in range(n_loops):
        field.battle.unit[HEALTH, attacker] = 1e6  # outlives what the target does
        field.play()
        shots += field.health(target) < before
        before = field.health(target)
        if before == 0.:
            return shots
    raise AssertionError('the target lives')


@pytest.mark.unittest
@pytest.mark.parametrize(
    'attacker, target, shots', [
        ('marine', 'marine', 8), ('marine', 'marauder', 25), ('marauder', 'marine', 5), ('marauder', 'marauder', 7),
        ('marine', 'medivac', 30)
    ]
)
def test_unit_kills_unit_in_the_shots_its_data_give(attacker, target, shots):
    # 45 / 6; 125 / (6 - 1); 45 / 10; 125 / (10 + 10 - 1); 150 / (6 - 1)
    field = Battlefield([(attacker, 10., 16.)], [(target, 14., 16.)])
    field.order(0, FIRST_TARGET)
    assert shots_to_kill(field, 0, 1) == shots


def periods_of(field: Battlefield, n_shots: int) -> list[float]:
    """Return the loops between the moments at which the weapon of unit 0 is ready, parts of loops included."""
    field.order(0, FIRST_TARGET)
    ready, loop, before = [], 0, 0.
    while len(ready) < n_shots:
        field.battle.unit[HEALTH, 1] = 150.
        field.play()
        loop += 1
        if field.cooldown(0) > before:
            ready.append(loop + field.cooldown(0))
        before = field.cooldown(0)
    return np.diff(ready).tolist()


@pytest.mark.unittest
@pytest.mark.parametrize('unit, period', [('marine', 13.7728), ('stalker', 29.92)])
def test_remainder_of_a_period_below_a_loop_is_carried_over(unit, period):
    periods = periods_of(Battlefield([(unit, 10., 16.)], [('medivac', 14., 16.)]), 40)
    assert periods == pytest.approx([period] * 39)


@pytest.mark.unittest
@pytest.mark.parametrize('unit, period', [('marine', 13.7728), ('stalker', 29.92)])
def test_jitter_is_continuous_between_its_bounds(unit, period):
    field = Battlefield([(unit, 10., 16.)], [('medivac', 14., 16.)], jitter_low=-1., jitter_high=2.)
    late = np.sort(np.array(periods_of(field, 2001)) - period)
    assert -1. <= late[0] and late[-1] <= 2.
    assert late[[20, 500, 1000, 1500, 1980]] == pytest.approx([-.97, -.25, .5, 1.25, 1.97], abs=.1)


@pytest.mark.unittest
def test_weapon_that_waited_for_more_than_a_loop_carries_nothing_over():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 14., 16.)])
    field.order(0, FIRST_TARGET)
    field.play(3)
    field.order(0, STOP)
    field.play(30)
    field.order(0, FIRST_TARGET)
    field.play(2)
    assert field.cooldown(0) == pytest.approx(13.7728 - 1.)


@pytest.mark.unittest
@pytest.mark.parametrize('unit, loops', [('marine', 1), ('stalker', 3)])
def test_shot_shows_from_the_damage_point_on(unit, loops):
    field = Battlefield([(unit, 10., 16.)], [('medivac', 14., 16.)])
    field.order(0, FIRST_TARGET)
    field.play(loops)
    assert field.cooldown(0) == 0.
    field.play()
    assert field.cooldown(0) > 0.


@pytest.mark.unittest
def test_marine_first_hit_comes_at_the_damage_point():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 14., 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    assert field.health(1) == 150.
    field.play()
    assert field.health(1) == 145.


@pytest.mark.unittest
def test_move_before_the_damage_point_loses_the_shot_but_not_the_weapon():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 14., 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    field.order(0, NORTH)
    field.play(3)
    assert field.health(1) == 150. and field.cooldown(0) == 0.


@pytest.mark.unittest
def test_same_attack_order_again_does_not_reset_the_attack():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 14., 16.)])
    for _ in range(2):
        field.order(0, FIRST_TARGET)
        field.play()
    assert field.health(1) == 145.


@pytest.mark.unittest
def test_attack_begun_in_range_completes_within_the_slop():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 16., 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    field.battle.unit[X, 1] = 17.  # 7 - .375 - .75 = 5.875 between edges, below 5 + 1
    field.play()
    assert field.health(1) == 145.


@pytest.mark.unittest
def test_attack_breaks_off_beyond_the_slop():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 16., 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    field.battle.unit[X, 1] = 17.2
    field.play()
    assert field.health(1) == 150.


@pytest.mark.unittest
def test_marauder_missile_takes_time_and_flies_on_after_its_owner_died():
    field = Battlefield([('marauder', 10., 16.)], [('marine', 16.9, 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    assert field.health(1) == 45.
    field.battle.unit[HEALTH, 0] = 0.
    field.play(4)  # (6.9 - .375) / 1.25 = 5.2 loops
    assert field.health(1) == 45.
    field.play(1)
    assert field.health(1) == 35.


@pytest.mark.unittest
def test_marauder_told_to_hit_a_medivac_keeps_its_order():
    field = Battlefield([('marauder', 10., 16.)], [('medivac', 14., 16.), ('marine', 14., 20.)])
    field.order(0, FIRST_TARGET + 1)
    field.order(0, FIRST_TARGET)
    field.play(30)
    assert field.health(1) == 150. and field.health(2) < 45.


@pytest.mark.unittest
def test_ally_without_attack_order_never_shoots():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 12., 16.)])
    field.play(60)
    field.order(0, STOP)
    field.play(60)
    assert field.health(1) == 150.


@pytest.mark.unittest
def test_attack_order_walks_into_range_and_shoots():
    field = Battlefield([('marine', 10., 16.)], [('medivac', 16.375, 16.)])
    field.battle.unit[HEALTH, 1] = 5.
    field.order(0, FIRST_TARGET)
    field.play(ActionOptions().step_mul)
    assert field.health(1) == 0. and 10.2 < field.place(0)[0] < 10.4  # 6.125 between centres


@pytest.mark.unittest
def test_medivac_heals_9_a_second_for_a_third_of_energy():
    field = Battlefield([('medivac', 10., 16.), ('marine', 12., 16.)], [('marine', 28., 28.)])
    field.battle.unit[HEALTH, 1] = 20.
    field.order(0, FIRST_TARGET + 1)
    field.play(16)
    assert field.health(1) == pytest.approx(29.)
    assert field.battle.unit[ENERGY, 0] == pytest.approx(50. - 9. * .33 + .5625)


@pytest.mark.unittest
def test_medivac_stops_healing_a_whole_unit():
    field = Battlefield([('medivac', 10., 16.), ('marine', 12., 16.)], [('marine', 28., 28.)])
    field.battle.unit[HEALTH, 1] = 44.9
    field.order(0, FIRST_TARGET + 1)
    field.play(16)
    assert field.health(1) == 45.


@pytest.mark.unittest
def test_enemy_medivac_heals_the_weakest_of_its_side():
    field = Battlefield([('marine', 2.5, 2.5)], [('medivac', 20., 16.), ('marine', 22., 16.), ('marine', 18., 16.)])
    field.battle.unit[HEALTH, 2], field.battle.unit[HEALTH, 3] = 30., 20.
    field.play(8)
    assert field.health(2) == 30. and field.health(3) == pytest.approx(24.5)


@pytest.mark.unittest
def test_allied_medivac_does_not_heal_without_order():
    field = Battlefield([('medivac', 10., 16.), ('marine', 12., 16.)], [('marine', 28., 28.)])
    field.battle.unit[HEALTH, 1] = 20.
    field.play(32)
    assert field.health(1) == 20.


@pytest.mark.unittest
def test_enemy_acquires_the_nearest_at_scan_range_and_keeps_it():
    field = Battlefield([('marine', 10., 16.), ('marine', 10., 18.)], [('marine', 15.5, 16.1)])
    field.play(2)
    assert field.health(0) == 39.
    field.battle.unit[X, 1] = 14.  # nearer now
    field.play(14)
    assert field.health(0) == 33. and field.health(1) == 45.


@pytest.mark.unittest
def test_enemy_on_guard_does_not_see_beyond_scan_range():
    field = Battlefield([('marine', 10., 16.)], [('marine', 16.3, 16.)])  # 5.55 between edges
    field.play(30)
    assert field.health(0) == 45. and field.place(1) == (16.3, 16.)


@pytest.mark.unittest
def test_enemy_hit_from_beyond_scan_range_turns_on_the_attacker_and_calls_for_help():
    field = Battlefield([('marauder', 10., 16.)], [('marine', 16.9, 16.), ('marine', 18., 16.), ('marine', 28., 28.)])
    field.order(0, FIRST_TARGET)
    field.play(12)
    assert field.place(1)[0] < 16.8 and field.place(2)[0] < 17.9 and field.place(3) == (28., 28.)


@pytest.mark.unittest
def test_enemy_attack_moves_to_its_goal_and_rests():
    field = Battlefield([('marine', 2.5, 2.5)], [('marine', 23., 16.)], goal=(20., 16.))
    field.play(8)
    assert field.place(1)[0] == pytest.approx(23. - 1.125)
    field.play(40)
    assert 20. < field.place(1)[0] < 20.5


@pytest.mark.unittest
def test_dead_ally_ignores_orders():
    field = Battlefield([('marine', 10., 16.), ('marine', 10., 20.)], [('marine', 28., 28.)])
    field.battle.unit[HEALTH, 0] = 0.
    field.step([NO_OP, EAST])
    assert field.place(0) == (10., 16.) and field.battle.unit[COOLDOWN, 0] == 0.
