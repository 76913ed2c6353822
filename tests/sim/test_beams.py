"""The colossus: its beams, its size, and the cliff it walks over."""
import pytest
from battlefield import Battlefield

from ding_qmix.sim.calibration import Calibration
from ding_qmix.smac.rules import FIRST_TARGET, NORTH
from ding_qmix.smac.units import COOLDOWN, HEALTH, X, Y


def row_of(n, spacing=.75, unit='zergling'):
    """Return n units in a row across the line of fire of a colossus at (10, 16), the middle one first."""
    offsets = sorted((k - n // 2 for k in range(n)), key=abs)
    return [(unit, 16., 16. + spacing * k) for k in offsets]


def volley(field, n_loops=16):
    """Let the colossus shoot once at the first enemy, which do not move."""
    field.order(0, FIRST_TARGET)
    for _ in range(n_loops):
        field.battle.unit[COOLDOWN, 1:] = 99.
        places = field.battle.unit[[X, Y]].copy()
        field.play()
        field.battle.unit[[X, Y]] = places


@pytest.mark.unittest
def test_two_volleys_kill_a_row_of_zerglings():
    field = Battlefield([('colossus', 10., 16.)], row_of(5))  # 1.5 to either side: 1.25 + .15 + .375 reaches
    volley(field)
    assert field.battle.unit[HEALTH, 1:] == pytest.approx(5., abs=.3)  # two beams of 10, 5 more against light
    volley(field, 24)
    assert not field.battle.unit[HEALTH, 1:].any()


@pytest.mark.unittest
def test_units_off_the_line_are_not_touched():
    field = Battlefield(
        [('colossus', 10., 16.)], [('zergling', 16., 16.), ('zergling', 16.6, 16.), ('zergling', 16., 17.9)]
    )
    volley(field)
    assert field.health(1) < 6. and field.health(2) == 35. and field.health(3) == 35.


@pytest.mark.unittest
def test_each_beam_hits_each_enemy_once_for_10_less_armor():
    field = Battlefield([('colossus', 10., 16.)], row_of(3, 1., 'marauder'))
    volley(field)
    assert [field.health(u) for u in (1, 2, 3)] == [125. - 2 * 9.] * 3


@pytest.mark.unittest
def test_beams_spare_their_own_side():
    field = Battlefield([('colossus', 10., 16.), ('zealot', 16., 16.9)], [('marauder', 16., 16.)])
    field.battle.unit[COOLDOWN, 2] = 99.
    field.order(0, FIRST_TARGET)
    field.play(16)
    assert (field.shield(1), field.health(1)) == (50., 100.) and field.health(2) < 125.


@pytest.mark.unittest
def test_main_target_is_hit_by_both_beams_six_loops_after_the_shot():
    field = Battlefield([('colossus', 10., 16.)], [('marauder', 16., 16.)])
    volley(field, 8)  # the shot in the third loop, 4 samples of .363 loops until one touches, 4 loops until it burns
    assert field.health(1) == 125.
    volley(field, 1)
    assert field.health(1) == 125. - 18.


@pytest.mark.unittest
def test_main_target_that_has_left_the_line_is_not_hit():
    field = Battlefield([('colossus', 10., 16.)], [('marauder', 16., 16.)])
    volley(field, 3)
    field.battle.unit[X, 1] = 17.
    volley(field, 10)
    assert field.health(1) == 125.


@pytest.mark.unittest
def test_unit_touched_is_hit_a_quarter_second_later_wherever_it_is():
    field = Battlefield([('colossus', 10., 16.)], [('marauder', 16., 16.), ('zergling', 16., 14.6)])
    volley(field, 4)  # the damage point is passed, the first samples looked at
    field.battle.unit[Y, 2] = 28.
    volley(field, 4)
    assert field.health(2) == pytest.approx(20., abs=.2)


@pytest.mark.unittest
def test_dead_colossus_sweeps_no_more():
    field = Battlefield([('colossus', 10., 16.)], row_of(3, 1., 'marauder'))
    volley(field, 3)
    field.battle.unit[HEALTH, 0] = 0.
    volley(field, 12)
    assert field.health(1) == 125.


@pytest.mark.unittest
def test_colossus_shoots_every_24_loops_without_jitter():
    field = Battlefield([('colossus', 10., 16.)], [('spine_crawler', 17., 16.)])
    field.order(0, FIRST_TARGET)
    shots, before = [], 0.
    for loop in range(120):
        field.battle.unit[HEALTH] = [200., 300.]
        field.battle.unit[COOLDOWN, 1] = 99.
        field.play()
        if field.cooldown(0) > before:
            shots.append(loop)
        before = field.cooldown(0)
    assert [b - a for a, b in zip(shots, shots[1:])] == [24, 24, 24, 24]


@pytest.mark.unittest
def test_colossus_has_no_slop():
    field = Battlefield([('colossus', 10., 16.)], [('marauder', 18.5, 16.)])
    field.order(0, FIRST_TARGET)
    field.play(1)
    field.battle.unit[X, 1] = 19.
    field.play(2)
    assert field.cooldown(0) == 0.


@pytest.mark.unittest
def test_colossus_steps_over_small_units_but_not_over_its_like_or_buildings():
    field = Battlefield(
        [('colossus', 10., 16.), ('zealot', 10., 16.2), ('colossus', 14., 16.)], [('spine_crawler', 20., 16.)]
    )
    reach = field.params.tables.reach
    assert reach[0, 1] == 0. and reach[0, 2] == 1.5 - .0615 and reach[0, 3] == .75 + .875 - .0615
    field.play(5)
    assert field.place(0) == (10., 16.) and field.place(1) == (10., 16.2)


@pytest.mark.unittest
def test_colossus_walks_over_the_cliff_and_others_do_not():
    field = Battlefield(
        [('colossus', 14., 10.95), ('stalker', 18., 10.95)], [('zergling', 28., 6.)], terrain='TWO_LEVEL'
    )
    for _ in range(3):
        field.step([NORTH, NORTH])
    assert field.place(0)[1] > 13. and field.place(1)[1] < 12.


@pytest.mark.unittest
def test_enemy_colossus_takes_the_target_nearest_to_its_last():
    field = Battlefield([('marine', 10., 16.), ('marine', 10., 12.5), ('marine', 11., 19.)], [('colossus', 15., 16.)])
    field.play(3)
    field.battle.unit[HEALTH, 0] = 0.
    field.battle.unit[X, 1], field.battle.unit[Y, 1] = 10.5, 14.
    field.play(3)
    assert field.battle.decision[1, 3] == 1  # the third marine is farther from where the first fell


@pytest.mark.unittest
def test_hunt_on_is_off_by_default():
    assert Calibration().hunt_on is False
