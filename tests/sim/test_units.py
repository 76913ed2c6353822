"""The units of the game's data, by the figures that follow from it."""
import math

import numpy as np
import pytest
from battlefield import Battlefield

from ding_qmix.sim.state import SHIELD_WAIT
from ding_qmix.sim.unit_tables import ACCELERATION, CAN_HIT, MAX_SPEED, SCAN_RANGE, THREAT
from ding_qmix.smac.rules import EAST, FIRST_TARGET, NORTH
from ding_qmix.smac.units import COOLDOWN, HEALTH, SHIELD, X

FAR = [('marine', 28., 28.)]


def losses(field, u, n_loops, immortal=()):
    """Return [(loop, points of health and shield lost)] of a unit that must not regenerate."""
    lost, before = [], field.health(u) + field.shield(u)
    for loop in range(n_loops):
        for v in immortal:
            field.battle.unit[HEALTH, v] = 1e6
        field.battle.physical[SHIELD_WAIT] = 99.
        field.play()
        now = field.health(u) + field.shield(u)
        if now < before:
            lost.append((loop, before - now))
        before = now
        if field.health(u) == 0.:
            break
    return lost


@pytest.mark.unittest
@pytest.mark.parametrize(
    'attacker, target, n_hits',
    [
        ('stalker', 'zealot', 13),  # 3 x 13, 11 of the next on the shield, whose 2 left do 1; 99 / 12 more
        ('hydralisk', 'zealot', 14),  # 4 x 12 + 2 of the next on the shield, whose 10 left do 9; 91 / 11 more
        ('zealot', 'stalker', 22),  # 11 double hits: 80 / 8 and 80 / (8 - 1)
        ('zealot', 'zergling', 5),  # 3 double hits: 35 / 8
        ('zergling', 'zealot', 35),  # 50 / 5 and 100 / (5 - 1)
        ('stalker', 'stalker', 10),  # 4 x 18, 8 of the next on the shield, whose 10 left do 9; 71 / 17 more
        ('marine', 'zealot', 29),  # 8 x 6, 2 of the next, whose 4 left do 3; 97 / 5 more
    ]
)
def test_unit_kills_unit_in_the_hits_its_data_give(attacker, target, n_hits):
    apart = 1. if attacker in ('zealot', 'zergling') else 5.
    field = Battlefield([(attacker, 10., 16.)], [(target, 10. + apart, 16.)])
    field.order(0, FIRST_TARGET)
    hits = losses(field, 1, 1500, immortal=[0])
    assert field.health(1) == 0.
    assert len(hits) == n_hits


@pytest.mark.unittest
@pytest.mark.parametrize(
    'attacker, target, n_periods, period', [('stalker', 'zealot', 12, 1.87), ('zealot', 'stalker', 10, 1.2)]
)
def test_unit_kills_unit_in_the_seconds_its_data_give(attacker, target, n_periods, period):
    field = Battlefield([(attacker, 10., 16.)], [(target, 10. + (1. if attacker == 'zealot' else 5.), 16.)])
    field.order(0, FIRST_TARGET)
    hits = losses(field, 1, 1500, immortal=[0])
    seconds = (hits[-1][0] - hits[0][0]) / 16.
    assert seconds == pytest.approx(n_periods * period, rel=.07)  # periods are whole loops in practice


@pytest.mark.unittest
@pytest.mark.parametrize(
    'unit, step', [
        ('marine', 1.125), ('marauder', 1.125), ('stalker', 1.47655), ('zealot', 1.125), ('colossus', 1.125),
        ('zergling', 1.47655), ('baneling', 1.25), ('hydralisk', 1.125), ('spine_crawler', 0.)
    ]
)
def test_unit_walks_its_distance_per_env_step(unit, step):
    field = Battlefield([(unit, 10., 16.)], FAR)
    field.step([EAST])
    assert field.place(0)[0] == pytest.approx(10. + step)


@pytest.mark.unittest
def test_zealot_hits_twice_a_loop_count_of_0_28_s_apart():
    field = Battlefield([('zealot', 10., 16.)], [('stalker', 11., 16.)])
    field.order(0, FIRST_TARGET)
    hits = losses(field, 1, 30)
    assert [loop for loop, _ in hits] == [0, 5, 20, 25]  # 4.48 loops, period 19.2
    assert {points for _, points in hits} == {8.}


@pytest.mark.unittest
def test_zealot_that_walks_away_loses_its_second_hit_but_not_its_cooldown():
    field = Battlefield([('zealot', 10., 16.)], [('stalker', 11., 16.)])
    field.order(0, FIRST_TARGET)
    field.play()
    field.order(0, NORTH)
    field.play(10)
    assert field.shield(1) == 72. and field.cooldown(0) > 0.


@pytest.mark.unittest
def test_zealot_cannot_hit_beyond_a_tenth_of_a_unit_between_edges():
    field = Battlefield([('zealot', 10., 16.)], [('spine_crawler', 11.5, 16.)])  # .125 between edges
    field.order(0, FIRST_TARGET)
    field.play()
    assert field.health(1) == 300.
    field.play(2)
    assert field.health(1) == pytest.approx(294., abs=.1)


@pytest.mark.unittest
def test_shield_grows_2_a_second_after_10_s_without_damage():
    field = Battlefield([('zealot', 10., 16.)], FAR)
    field.battle.unit[SHIELD, 0] = 10.
    field.battle.physical[SHIELD_WAIT, 0] = 160.
    field.play(159)
    assert field.shield(0) == 10.
    field.play(17)
    assert field.shield(0) == pytest.approx(12., abs=.13)
    field.play(1000)
    assert field.shield(0) == 50.


@pytest.mark.unittest
def test_damage_stops_the_shield_from_growing():
    field = Battlefield([('zealot', 10., 16.)], [('marine', 14., 16.)])
    field.play(60)
    assert field.battle.physical[SHIELD_WAIT, 0] > 140.


@pytest.mark.unittest
@pytest.mark.parametrize('unit', ['zergling', 'baneling', 'hydralisk', 'spine_crawler'])
def test_zerg_life_grows_0_2734_a_second(unit):
    field = Battlefield([(unit, 10., 16.)], FAR)
    field.battle.unit[HEALTH, 0] = 10.
    field.play(160)
    assert field.health(0) == pytest.approx(12.734)


@pytest.mark.unittest
@pytest.mark.parametrize('unit', ['marine', 'zealot', 'stalker'])
def test_other_life_does_not_grow(unit):
    field = Battlefield([(unit, 10., 16.)], FAR)
    field.battle.unit[HEALTH, 0] = 10.
    field.play(160)
    assert field.health(0) == 10.


@pytest.mark.unittest
def test_dead_units_grow_nothing():
    field = Battlefield([('zealot', 10., 16.), ('zergling', 12., 16.)], FAR)
    field.battle.unit[HEALTH] = [0., 0., 45.]
    field.battle.unit[SHIELD] = 0.
    field.play(200)
    assert not field.battle.unit[[HEALTH, SHIELD], :2].any()


@pytest.mark.unittest
def test_hydralisk_shoots_from_afar_and_claws_close_by():
    far = Battlefield([('hydralisk', 10., 16.)], [('medivac', 15., 16.)])
    close = Battlefield([('hydralisk', 10., 16.)], [('marauder', 11.3, 16.)])
    for field in (far, close):
        field.order(0, FIRST_TARGET)
    assert losses(far, 1, 12)[0][0] == 5  # damage point 3.33 loops, then (5 - .75) / 2.5 loops of flight from that loop
    assert losses(close, 1, 12, immortal=[0])[0][0] == 5  # damage point 4.8 loops


@pytest.mark.unittest
def test_spine_crawler_kills_a_stalker_in_6_hits():
    field = Battlefield([('stalker', 10., 16.)], [('spine_crawler', 15., 16.)])
    hits = losses(field, 0, 400)
    # 30 twice and 20 of the third on the shield, whose 10 left do 9; 71 / 29 more
    assert len(hits) == 6 and field.health(0) == 0.
    gaps = np.diff([loop for loop, _ in hits])
    assert set(gaps) <= {29, 30, 31}


@pytest.mark.unittest
def test_spine_crawler_acquires_by_itself_at_7_between_edges_and_never_walks():
    field = Battlefield([('stalker', 10., 16.)], [('spine_crawler', 18.6, 16.)])  # 7.1 between edges
    field.play(40)
    assert field.shield(0) == 80. and field.place(1) == (18.6, 16.)
    field.battle.unit[X, 0] = 10.2
    field.play(40)
    assert field.shield(0) < 80. and field.place(1) == (18.6, 16.)


@pytest.mark.unittest
@pytest.mark.parametrize('unit, weapon_range, slop', [('spine_crawler', 7., False), ('stalker', 6., True)])
def test_slop_is_zero_for_the_spine_crawler(unit, weapon_range, slop):
    field = Battlefield([('zealot', 10., 16.)], [(unit, 16., 16.)])
    field.play(2)
    reach = weapon_range + .5 + (.875 if unit == 'spine_crawler' else .625)
    field.battle.unit[X, 0] = 16. - reach - .5
    field.play(12)
    assert (field.shield(0) < 50.) == slop


@pytest.mark.unittest
def test_spine_crawler_is_not_pushed():
    field = Battlefield([('stalker', 10., 16.)], [('spine_crawler', 12., 16.)])
    for _ in range(3):
        field.step([EAST])
    assert field.place(1) == (12., 16.)
    assert math.hypot(field.place(0)[0] - 12., field.place(0)[1] - 16.) > 1.5 - .2


@pytest.mark.unittest
def test_five_banelings_kill_a_zealot():
    banelings = [('baneling', 10. + .8 * math.cos(a), 16. + .8 * math.sin(a)) for a in (0., 1.25, 2.5, 3.75, 5.)]
    for n, dies in ((4, False), (5, True)):
        field = Battlefield([('zealot', 10., 16.)], banelings[:n])
        field.play(8)
        assert (field.health(0) == 0.) == dies
        assert all(field.health(1 + k) == 0. for k in range(n))
        if not dies:
            assert (field.shield(0), field.health(0)) == (0., 100. - 4 * 35. + 50. + 3.)  # one armor on three hits


@pytest.mark.unittest
def test_baneling_bursts_over_2_2_and_spares_its_own_side():
    field = Battlefield(
        [('stalker', 10., 16.), ('stalker', 10., 18.9), ('stalker', 13.1, 16.)],
        [('baneling', 10.9, 16.), ('zergling', 11.9, 16.6)]
    )
    field.battle.unit[COOLDOWN, 4] = 99.
    field.play(2)
    assert field.health(3) == 0. and field.health(4) == 35.
    assert [field.shield(u) for u in range(3)] == [60., 80., 60.]  # 3.03 away: beyond 2.2 + .625


@pytest.mark.unittest
def test_baneling_bursts_when_it_is_killed_and_only_once():
    field = Battlefield([('marine', 10., 16.)], [('baneling', 12., 16.)])
    field.battle.unit[HEALTH, 1] = 1.
    field.order(0, FIRST_TARGET)
    field.battle.unit[COOLDOWN, 1] = 99.
    field.play(2)
    assert field.health(1) == 0. and field.health(0) == 10.  # 20 + 15 against light
    field.play(20)
    assert field.health(0) == 10.


@pytest.mark.unittest
def test_bursts_set_off_banelings_of_the_other_side():
    field = Battlefield(
        [('baneling', 10., 16.), ('marine', 20., 20.)], [('baneling', 11.1, 16.), ('zergling', 13.4, 16.)]
    )
    field.battle.unit[HEALTH, 2] = 1.
    field.order(0, FIRST_TARGET)
    field.battle.unit[COOLDOWN, 2:] = 99.
    field.play(4)
    assert field.health(0) == 0. and field.health(2) == 0. and field.health(3) == 35.


@pytest.mark.unittest
def test_allied_baneling_bursts_on_order_only():
    field = Battlefield([('baneling', 10., 16.)], [('stalker', 11.1, 16.)])
    field.battle.unit[COOLDOWN, 1] = 99.
    field.play(8)
    assert field.shield(1) == 80.
    field.order(0, FIRST_TARGET)
    field.play(1)
    assert field.shield(1) == 60. and field.health(0) == 0.


@pytest.mark.unittest
def test_fighters_hit_what_their_weapons_reach():
    field = Battlefield([('colossus', 10., 16.), ('medivac', 10., 20.), ('zealot', 20., 20.)], [('zergling', 15., 16.)])
    rank = field.params.tables.rank
    assert rank[3, 0] > 0 and rank[3, 2] > 0 and rank[3, 1] == 0  # a zergling reaches a colossus, no medivac
    assert rank[0, 3] > 0


@pytest.mark.unittest
def test_stalker_takes_16_from_the_spine_crawler_and_needs_19_hits():
    field = Battlefield([('stalker', 10., 16.)], [('spine_crawler', 15., 16.)])
    field.order(0, FIRST_TARGET)
    hits = 0
    while field.health(1) > 0.:
        before = field.health(1)
        field.battle.unit[HEALTH, 0] = 1e6
        field.play()
        if field.health(1) < before:
            assert before - field.health(1) == pytest.approx(16., abs=.02) or field.health(1) == 0.  # 13 + 5 - 2
            hits += 1
    assert hits == 20  # 300 / 16 = 18.75, and .0171 grows back in each of some 560 loops: 9.6


@pytest.mark.unittest
def test_stalker_takes_13_from_a_shield_and_12_from_life():
    field = Battlefield([('stalker', 10., 16.)], [('zealot', 15., 16.)])
    field.order(0, FIRST_TARGET)
    points = [points for _, points in losses(field, 1, 1500, immortal=[0])]
    assert points[:3] == [13.] * 3 and points[3] == 12. and set(points[4:-1]) == {12.}


@pytest.mark.unittest
def test_medivacs_of_the_two_sides_differ():
    field = Battlefield([('medivac', 10., 16.)], [('medivac', 20., 16.), ('marine', 23., 16.)], goal=(2., 16.))
    top, gain = (field.params.tables.stats[row, :2].tolist() for row in (MAX_SPEED, ACCELERATION))
    assert top == [2.75 / 16., 2.5 / 16.] and gain == [2.3125 / 256., 2.25 / 256.]
    assert field.params.tables.rank[2, 0] == THREAT
    other = Battlefield([('marine', 10., 16.)], [('medivac', 20., 16.)])
    assert other.params.tables.rank[0, 1] == CAN_HIT


@pytest.mark.unittest
@pytest.mark.parametrize(
    'unit, scan', [
        ('marine', 5.5), ('marauder', 6.5), ('stalker', 6.5), ('zealot', 5.), ('colossus', 7.5), ('zergling', 5.),
        ('baneling', 5.), ('hydralisk', 5.5), ('spine_crawler', 7.)
    ]
)
def test_units_notice_foes_within_their_scan_range(unit, scan):
    field = Battlefield([('marine', 10., 16.)], [(unit, 20., 16.)])
    assert field.params.tables.stats[SCAN_RANGE, 1] == scan


@pytest.mark.unittest
def test_hydralisk_claws_every_12_loops_and_shoots_every_13_2():
    for target, place, period in (('medivac', 15., 13.2), ('marauder', 11.3, 12.)):
        field = Battlefield([('hydralisk', 10., 16.)], [(target, place, 16.)])
        field.order(0, FIRST_TARGET)
        loops = [loop for loop, _ in losses(field, 1, 80, immortal=[0])]
        assert loops[5] - loops[0] == 5 * period  # .825 s, .75 s
