"""
Compare the simulator with what the real StarCraft II was measured to do in SMAC's maps.

    python entry/benchmark/calibration.py --recordings FOLDER --doc docs/simulator.md

Five parts: battles in which the allies stand still; battles at random; details of battles (where units stand, how far
they walk, when they fire, what a hit takes); recorded situations one step ahead; recorded orders from the start on.
The last two need recordings of the game, in the formats that calibration_recordings.py describes; none come with the
project. A map's own recordings of states also stand in for the figures of the third part.
"""
import argparse
import json
import shlex
import sys
from typing import Any, Callable, NamedTuple, Optional

from calibration_battles import random_play_figures, stand_still_figures
from calibration_distributions import distribution_figures
from calibration_figures import Figure, load_targets
from calibration_one_step import one_step_figures
from calibration_open_loop import open_loop_figures
from calibration_recordings import OrderBook, find_recordings, read_orders, read_states
from calibration_state import OPTION
from calibration_table import figure_rows, page_figures, result_tables, summary_table
from calibration_traces import MakeEnv, Trace

from ding_qmix.envs import make_vec_env
from ding_qmix.sim import SIM_VERSION
from ding_qmix.spec import VecEnv
from ding_qmix.utils.report import describe_run, source_line, update_block, write_json

PARTS = ('standing still', 'random play', 'distributions', 'one step', 'open loop')
BLOCK = 'sim_calibration'


class Recordings(NamedTuple):
    """The recordings of a folder."""
    states: dict[str, Trace]  # by map; the last file of a map counts
    orders: dict[str, OrderBook]


def main(args: Optional[list[str]] = None) -> None:
    """Measure, print the tables, write the JSON."""
    options = _parse(args)
    run = describe_run(options.note)
    if options.recordings:  # where somebody's recordings lie is nobody's business
        run['command'] = run['command'].replace(shlex.quote(options.recordings), 'FOLDER')
    recordings = read_recordings(options.recordings, options.maps)
    make_env = _env_maker(options.set)
    figures: list[Figure] = []
    for part in options.parts:
        figures += [
            figure for figure in _measure(part, make_env, recordings, options)
            if options.maps is None or figure.map_name in options.maps
        ]
        sys.stdout.write(f'{part}: {sum(figure.part == part for figure in figures)} figures\n')
        sys.stdout.flush()
        write_json(
            options.out, {
                'what': 'the simulator beside the real game',
                'sim_version': SIM_VERSION,
                **run, 'calibration': dict(options.set),
                'battles': options.battles,
                'states': options.states,
                'seed': options.seed,
                'rows': figure_rows(figures)
            }
        )
    text = f'{summary_table(figures)}\n{result_tables(figures)}\n{source_line(run)}'
    sys.stdout.write(text)
    if options.doc:
        page = result_tables(page_figures(figures))
        update_block(options.doc, BLOCK, f'{summary_table(figures)}\n{page}\n{source_line(run)}')


def read_recordings(folder: Optional[str], maps: Optional[list[str]] = None) -> Recordings:
    """
    Overview:
        Read the recordings of a folder, of the given maps or of all.
    Raises:
        - FileNotFoundError: there is no such folder
        - ValueError: a file is not of one of the formats
    """
    found = Recordings({}, {})
    for map_name, path in find_recordings(folder) if folder else ():
        if maps is not None and map_name not in maps:
            continue
        if path.endswith('.npz'):
            found.states[map_name] = read_states(path, map_name)
        else:
            found.orders[map_name] = read_orders(path, map_name)
    return found


def _measure(part: str, make_env: MakeEnv, recordings: Recordings, options: argparse.Namespace) -> list[Figure]:
    """Return the figures of one part."""
    n, seed, targets = options.battles, options.seed, _targets(part, options.maps)
    if part in PARTS[:2]:
        measure: Callable[..., list[Figure]] = stand_still_figures if part == PARTS[0] else random_play_figures
        return measure(make_env, n, seed, targets)
    if part == 'distributions':
        return distribution_figures(make_env, n, seed, targets, recordings.states, options.maps)
    figures: list[Figure] = []
    if part == 'one step':
        for trace in recordings.states.values():
            figures += one_step_figures(make_env, trace, options.states, seed, targets)
    else:
        for recording in (*recordings.states.values(), *recordings.orders.values()):
            figures += open_loop_figures(make_env, recording, n, seed)
    if not figures:
        sys.stdout.write(f'{part}: skipped, no recordings of the real game; give them with --recordings FOLDER\n')
    return figures


def _targets(part: str, maps: Optional[list[str]]) -> dict[str, Any]:
    """Return what is known of the real game for a part, of some maps or of all."""
    targets = dict(load_targets().get(part, {}))
    for key in ('figures', 'layouts'):
        if maps is not None and key in targets:
            targets[key] = {name: value for name, value in targets[key].items() if name in maps}
    return targets


def _env_maker(settings: list[tuple[str, Any]]) -> MakeEnv:
    """Return what makes envs whose uncertain facts are set like this."""
    # Recorded units are told apart by their order of creation.
    options: dict[str, Any] = {OPTION: {'permute_enemies': False, **dict(settings)}}

    def make_env(map_name: str, n_envs: int, seed: int) -> VecEnv:
        env = make_vec_env(map_name, n_envs, seed=seed, **options)
        env.reset()  # the first episode of a seed begins otherwise than those that follow, which recordings show
        return env

    return make_env


def _setting(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE."""
    name, _, value = text.partition('=')
    try:
        return name, json.loads(value.lower())
    except json.JSONDecodeError:
        raise argparse.ArgumentTypeError(f'{text!r}: give NAME=VALUE, with a number, true or false') from None


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--recordings', metavar='FOLDER', help='recordings of the real game')
    parser.add_argument('--parts', nargs='+', default=list(PARTS), choices=PARTS, metavar='PART', help=', '.join(PARTS))
    parser.add_argument('--maps', nargs='+', metavar='MAP', help='only these')
    parser.add_argument('--battles', type=int, default=1000, help='simulated per map and policy')
    parser.add_argument('--states', type=int, default=4000, help='recorded situations per map, one step ahead')
    parser.add_argument('--quick', action='store_true', help='200 battles and 1000 situations')
    parser.add_argument('--seed', type=int, default=0, help='battle i has seed + i')
    parser.add_argument(
        '--set', nargs='+', default=[], type=_setting, metavar='NAME=VALUE', help='uncertain facts of the simulator'
    )
    parser.add_argument('--note', default='', help='written beside the result')
    parser.add_argument('--out', default='docs/results/sim_calibration.json', help='JSON to write')
    parser.add_argument('--doc', help=f'Markdown page whose block {BLOCK} is to be rewritten')
    options = parser.parse_args(args)
    if options.quick:
        options.battles, options.states = 200, 1000
    return options


if __name__ == '__main__':
    main()
