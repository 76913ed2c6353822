"""The comparison with the real game: statistics on hand numbers, readers on files written here, tiny runs."""
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from calibration_data import make_orders, make_states, write_recordings

from ding_qmix.envs import make_vec_env


@pytest.fixture
def part(load) -> Any:
    """Load a file of the benchmark by the end of its name: 'figures' for calibration_figures."""

    def load_part(name: str) -> ModuleType:
        load('benchmark/calibration')
        return sys.modules[f'calibration_{name}']

    return load_part


@pytest.mark.unittest
def test_estimate_gives_mean_and_standard_error(part) -> None:
    estimate = part('figures').estimate
    value = estimate(np.array([1., 2., 3., np.nan]))
    assert value.value == 2. and value.n == 3
    assert value.error == pytest.approx(1. / 3. ** .5)
    assert estimate(np.array([])) is None
    assert estimate(np.array([5., 5., 5.]), 'q50')[:2] == (5., 0.)
    assert estimate(np.arange(101.), 'q25').value == 25. and estimate(np.arange(101.), 'max').value == 100.


@pytest.mark.unittest
@pytest.mark.parametrize('statistic', ['median', 'q', 'qq5', ''])
def test_estimate_refuses_unknown_statistics(part, statistic: str) -> None:
    with pytest.raises(ValueError, match='statistic'):
        part('figures').estimate(np.ones(3), statistic)


@pytest.mark.unittest
def test_figure_z_is_the_difference_in_standard_errors(part) -> None:
    f = part('figures')

    def figure(real: Any, sim: Any) -> Any:
        return f.Figure('p', '3m', 'x', real, sim, 'here')

    far = figure(f.Estimate(10., 3., 4), f.Estimate(20., 4., 9))
    assert far.z == pytest.approx(2.) and far.differs is False
    borrowed = figure(f.Estimate(0., None, 4), f.Estimate(3., 0., 9, spread=2.))  # the game's error: 2 / sqrt(4)
    assert borrowed.z == pytest.approx(3.)
    exact = figure(f.Estimate(5., 0., 1), f.Estimate(5.0001, 0., 1))
    assert exact.z is None and exact.differs is False
    assert figure(f.Estimate(5., 0., 1), f.Estimate(6., 0., 1)).differs is True
    assert figure(None, f.Estimate(1., 1., 1)).differs is None


@pytest.mark.unittest
def test_targets_name_maps_and_measures_that_exist(part) -> None:
    targets = part('figures').load_targets()
    assert all(entry['source'] for entry in targets.values())
    names = {(m.map_name, m.name) for m in part('distributions').measures()}
    for map_name, figures in targets['distributions']['figures'].items():
        assert {(map_name, name) for name in figures} <= names
    for name in ('standing still', 'random play'):
        assert set(targets[name]['figures']['3m']) <= {'length [env steps]', 'return', 'dead allies', 'dead enemies'}


@pytest.mark.unittest
def test_find_recordings_takes_the_longest_map_name(part, tmp_path: Path) -> None:
    for name in ('MMM2_a.npz', 'MMM_a.npz', '3s5z_vs_3s6z_b.json', 'spawn_3m.json', '3m.txt'):
        (tmp_path / name).write_text('')
    found = [(m, Path(p).name) for m, p in part('recordings').find_recordings(str(tmp_path))]
    assert found == [('3s5z_vs_3s6z', '3s5z_vs_3s6z_b.json'), ('MMM2', 'MMM2_a.npz'), ('MMM', 'MMM_a.npz')]


@pytest.mark.unittest
def test_read_states_scales_fractions_to_points(part, tmp_path: Path) -> None:
    data = make_states()
    data['ally_hp'] = np.array(data['ally_hp'])
    data['ally_hp'][0, 4:, 1] = 0.
    data['ally_cd'] = np.full_like(data['ally_cd'], .5)
    data['T'] = np.array([6, 5, 6, 6])
    data['reward'] = np.array(data['reward'])
    data['reward'][0, 5] = 12.
    np.savez(tmp_path / '2m_vs_1z.npz', **data)
    trace = part('recordings').read_states(str(tmp_path / '2m_vs_1z.npz'), '2m_vs_1z')
    assert trace.health[0, 0].tolist() == [45., 45., 100.] and trace.shield[0, 0].tolist() == [0., 0., 50.]
    assert np.isnan(trace.x[0, 4, 1]) and trace.cooldown[0, 0, 0] == 7.5  # half of SMAC's 15
    assert trace.n_rows.tolist() == [6, 5, 6, 6] and trace.action[1, 5, 0] == -1 and trace.action[1, 4, 0] == 1
    assert trace.won.tolist() == [True, False, False, False]


@pytest.mark.unittest
def test_read_states_counts_filled_rows(part, tmp_path: Path) -> None:
    data = make_states()
    del data['T']
    data['filled'] = np.ones((4, 6, 1))
    np.savez(tmp_path / '2m_vs_1z.npz', **data)
    trace = part('recordings').read_states(str(tmp_path / '2m_vs_1z.npz'), '2m_vs_1z')
    assert trace.n_rows.tolist() == [6] * 4 and trace.n_steps.tolist() == [5] * 4


@pytest.mark.unittest
@pytest.mark.parametrize('map_name, missing', [('3m', ''), ('2m_vs_1z', 'actions'), ('2m_vs_1z', 'T')])
def test_read_states_refuses_what_does_not_fit(part, tmp_path: Path, map_name: str, missing: str) -> None:
    data = make_states()
    data.pop(missing, None)
    np.savez(tmp_path / 'x.npz', **data)
    with pytest.raises(ValueError, match=missing or '2 allies'):
        part('recordings').read_states(str(tmp_path / 'x.npz'), map_name)


@pytest.mark.unittest
def test_read_orders_and_winner(part, tmp_path: Path) -> None:
    path, r = tmp_path / '3m.json', part('recordings')
    path.write_text(json.dumps(make_orders()))
    book = r.read_orders(str(path), '3m')
    assert r.recorded_winner(book.episodes[0]) == 'allies'
    book.episodes[0]['deaths'][0]['killer'] = None
    assert r.recorded_winner(book.episodes[0]) == 'nobody'
    path.write_text('{}')
    with pytest.raises(ValueError, match='episodes'):
        r.read_orders(str(path), '3m')


@pytest.fixture
def trace(part, tmp_path: Path) -> Any:
    """The synthetic battles as a trace."""
    np.savez(tmp_path / '2m_vs_1z.npz', **make_states())
    return part('recordings').read_states(str(tmp_path / '2m_vs_1z.npz'), '2m_vs_1z')


@pytest.mark.unittest
def test_motion_of_hand_made_battles(part, trace) -> None:
    motion = part('motion')
    assert np.allclose(motion.march_walks(trace), 1.125) and np.allclose(motion.march_heading(trace), 270.)
    assert motion.first_positions(trace, 'y', 'enemies').tolist() == [19.] * 4
    layout = np.array([(19., 12.), (13., 12.5)])
    assert motion.layout_error(trace, 'allies', layout).tolist() == [.5] * 4
    assert motion.commonest_layout(trace, 'allies').tolist() == [1.] * 4 and motion.n_enemy_orders(trace) == [1.]
    trace.x[0, :, 0] = 12.  # one episode begins elsewhere
    assert motion.commonest_layout(trace, 'allies').tolist() == [0., 1., 1., 1.]


@pytest.mark.unittest
def test_enemy_that_leaves_the_nearest_for_its_attacker_is_seen(part, trace) -> None:
    motion = part('motion')
    trace.x[:, :, 2], trace.y[:, :, 2] = 15.5 + .8 * np.arange(6), 12.  # towards the marine on the right
    assert motion.heads_for_nearest(trace)[:4].tolist() == [0., 1., 1., 1.]
    trace.action[:, :, 1] = 6  # which attacks it
    assert motion.heads_for_attacker(trace).tolist() == [1.] * 4


@pytest.mark.unittest
def test_shots_of_hand_made_cooldowns(part, trace) -> None:
    shots = part('shots')
    trace.action[:, :, 0] = 6
    trace.cooldown[:, :, 0] = [0., 10., 2., 8.25, .25, 0.]  # fires with expiry at 18 and at 32.25
    assert shots.shot_intervals(trace, 'marine').tolist() == [14.25] * 4
    trace.action[:, 2, 0] = 1  # the order was interrupted
    assert shots.shot_intervals(trace, 'marine').size == 0
    assert shots.firing_distance(trace, 'marine').size == 0  # the zealot walks


@pytest.mark.unittest
def test_damage_of_hand_made_drops(part, trace) -> None:
    damage = part('damage')
    trace.health[:, :, 0] = [45., 37., 37., 21., 21., 13.]
    assert damage.smallest_drop(trace, 'allies', 'health').tolist() == [8.]
    assert damage.single_hits(trace, 8.)[:3].tolist() == [1., 0., 1.]
    assert part('shots').damage_gaps(trace, 5)[:2].tolist() == [2., 2.]
    trace.health[0, 2:, 1] = 0.
    assert damage.nth_ally_death(trace, 0).tolist() == [2.] and damage.nth_ally_death(trace, 1).size == 0


@pytest.mark.unittest
def test_hits_are_given_to_the_enemy_in_reach(part, trace) -> None:
    inference = part('inference')
    measured = {'period': {'zealot': 19.7}, 'hit': {'zealot': 8.}}
    trace.x[:, :, 2], trace.y[:, :, 2] = 13.8, 12.
    trace.health[:, 3:, 0] = 29.  # both hits in the third step
    trace.health[:, 5:, 0] = 21.  # one in the fifth
    attacks = inference.infer_attacks(trace, measured)
    assert attacks.target[0, :, 0].tolist() == [-1, -1, -1, 0, 0, 0]
    assert attacks.since_shot[0, 3:5, 0].tolist() == pytest.approx([6.24, 14.24])  # the second hit came after 4.48
    assert attacks.second_hit[0, 3, 0] == 0. and 0. < attacks.second_hit[0, 5, 0] < 4.48
    situation = inference.situations(trace, np.array([0]), np.array([4]), attacks, measured)
    assert situation.cooldown[0].tolist() == pytest.approx([0., 0., 5.46]) and situation.calm[0, 0] == 12.


@pytest.mark.unittest
def test_place_shows_the_situation(part, trace) -> None:
    env, state = make_vec_env('2m_vs_1z', 4), part('state')
    measured = {'period': {}, 'hit': {}}
    attacks = part('inference').infer_attacks(trace, measured)
    ids = np.arange(4)
    state.place(env, part('inference').situations(trace, ids, np.full(4, 2), attacks, measured))
    units = env.units()
    assert np.allclose(units.y[:, 2], 19. - 2.25) and units.x[:, :2].tolist() == [[13., 19.]] * 4
    assert env.observe().action_mask[:, :, 6].tolist() == [[True, True]] * 4  # 5.6 away


@pytest.mark.unittest
def test_one_step_and_open_loop_of_what_the_simulator_played_agree(part) -> None:
    trace = part('traces').record_trace(make_vec_env('2m_vs_1z', 32), 'stand still', 20)
    measured = {'period': {}, 'hit': {}}

    def make(map_name: str, n_envs: int, seed: int) -> Any:
        return make_vec_env(map_name, n_envs, seed=seed)

    figures = {f.name: f for f in part('one_step').one_step_figures(make, trace, 60, 0, measured)}
    assert figures['recorded actions that are legal, share'].sim.value == 1.
    assert figures['damage to enemies per step [points]'].sim.value == 0.
    figures = {f.name: f for f in part('open_loop').open_loop_figures(make, trace, 32, 0)}
    assert figures['orders that are not legal, share'].sim.value == 0.
    hurt = figures['ally is first hurt in [env step]']
    assert hurt.sim.value == pytest.approx(hurt.real.value, abs=.5)


@pytest.mark.unittest
def test_copies_of_a_battle_count_once(part) -> None:
    samples = np.array([1., 2., np.nan, 3., np.nan, np.nan])  # two copies of three battles
    mean = part('open_loop').average_copies(samples, 2)
    assert mean[:2].tolist() == [2., 2.] and np.isnan(mean[2])


@pytest.mark.unittest
def test_calibration_writes_json_and_table(load, tmp_path: Path, capsys) -> None:
    folder, out, page = tmp_path / 'mine', tmp_path / 'c.json', tmp_path / 'page.md'
    folder.mkdir()
    write_recordings(folder)
    page.write_text('# Page\n<!-- begin sim_calibration -->\n<!-- end sim_calibration -->\n')
    arguments = ['--battles', '4', '--states', '8', '--maps', '2m_vs_1z', '3m', '--out', str(out)]
    load('benchmark/calibration').main([*arguments, '--doc', str(page), '--recordings', str(folder)])
    result = json.loads(out.read_text())
    assert {row['part']
            for row in result['rows']} == {'standing still', 'random play', 'distributions', 'one step', 'open loop'}
    assert {row['map'] for row in result['rows']} <= {'2m_vs_1z', '3m'}
    assert '| open loop' in page.read_text() and 'FOLDER' not in json.dumps(result['rows'])
    assert 'skipped' not in capsys.readouterr().out


@pytest.mark.unittest
def test_calibration_without_recordings_says_what_it_skips(load, tmp_path: Path, capsys) -> None:
    arguments = ['--quick', '--maps', '3m', '--parts', 'standing still', 'one step', '--set', 'reset_loops=2']
    load('benchmark/calibration').main([*arguments, '--out', str(tmp_path / 'c.json')])
    result = json.loads((tmp_path / 'c.json').read_text())
    assert 'one step: skipped' in capsys.readouterr().out and result['calibration'] == {'reset_loops': 2}
    assert [row['part'] for row in result['rows']] == ['standing still'] and result['battles'] == 200


@pytest.mark.unittest
@pytest.mark.parametrize('text', ['x', 'x=', 'x=y'])
def test_calibration_refuses_settings_without_value(load, text: str) -> None:
    with pytest.raises(SystemExit):
        load('benchmark/calibration').main(['--set', text])
