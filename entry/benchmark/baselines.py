"""
Measure the scripted policies on every map: win rates with 95 % confidence intervals, returns, lengths.

    python entry/benchmark/baselines.py --doc docs/simulator.md

Beside the win rates stands what the maps and the enemy's rules lead one to expect; what deviates is marked.
"""
import argparse
import sys
from typing import Any, NamedTuple, Optional

from ding_qmix.baselines.evaluation import measure_policy
from ding_qmix.baselines.scripted import SCRIPTED_POLICIES
from ding_qmix.sim import SIM_VERSION, SimVecEnv
from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.utils.report import describe_run, markdown_table, source_line, update_block, write_json
from ding_qmix.utils.statistics import wilson_interval


class Expectation(NamedTuple):
    """Bounds of a win rate, and why."""
    low: float
    high: float
    text: str


# By reasoning from the enemy's rules, not by measurement: both sides shoot the nearest and stick to it.
_EVEN = Expectation(.2, .8, 'about half')
_NEAR_ZERO = Expectation(0., .1, 'near 0')
_MIRROR_MAPS = ('3m', '8m', '25m', 'MMM', '2s3z', '3s5z', '1c3s5z', 'bane_vs_bane')
_HOPELESS_MAPS = (
    '5m_vs_6m', '8m_vs_9m', '27m_vs_30m', '3s5z_vs_3s6z', 'MMM2', '6h_vs_8z', 'corridor', '3s_vs_5z', '2m_vs_1z'
)
_RANDOM_MAY_WIN = ('2s_vs_1sc', 'bane_vs_bane')


def main(args: Optional[list[str]] = None) -> None:
    """Measure, print the tables, write the JSON."""
    options = _parse(args)
    run = describe_run(options.note)
    rows: list[dict[str, Any]] = []
    for map_name in options.maps:
        for policy in SCRIPTED_POLICIES:
            rows.append(_measure(map_name, policy, options))
            sys.stdout.write(f'{map_name} {policy}: {_rate(rows[-1])}\n')
            sys.stdout.flush()
        result = {'what': 'scripted policies in the simulator', 'sim_version': SIM_VERSION, **run, 'rows': rows}
        write_json(options.out, result)  # after every map, so that a run that is cut short keeps what it has
    text = f'{_win_table(rows)}\n{_battle_table(rows)}\n{source_line(run)}'
    sys.stdout.write(text)
    if options.doc:
        update_block(options.doc, 'sim_baselines', text)


def expectation(map_name: str, policy: str) -> Optional[Expectation]:
    """Return what to expect of a policy on a map, None where nothing is expected."""
    if policy == 'random' and map_name not in _RANDOM_MAY_WIN:
        return _NEAR_ZERO
    if policy == 'closest' and map_name in _MIRROR_MAPS:
        return _EVEN
    if policy == 'closest' and map_name in _HOPELESS_MAPS:
        return _NEAR_ZERO
    return None


def _measure(map_name: str, policy: str, options: argparse.Namespace) -> dict[str, Any]:
    """Play the battles of one map and policy, each in an env of its own; all policies play the same seeds."""
    env = SimVecEnv(map_name, options.battles, seed=options.seed)
    battles = measure_policy(env, policy, options.seed)
    low, high = wilson_interval(int(battles.won.sum()), options.battles)
    expected = expectation(map_name, policy)
    return {
        'map': map_name,
        'policy': policy,
        'battles': options.battles,
        'seed': options.seed,
        'win_rate': float(battles.won.mean()),
        'win_rate_95': [round(low, 4), round(high, 4)],
        'timeouts': float(battles.truncated.mean()),
        'mean_return': round(float(battles.episode_return.mean()), 3),
        'mean_length': round(float(battles.length.mean()), 2),
        'mean_dead_allies': round(float(battles.dead_allies.mean()), 3),
        'mean_dead_enemies': round(float(battles.dead_enemies.mean()), 3),
        'expected': expected._asdict() if expected else None,
        'deviates': bool(expected and not (low <= expected.high and high >= expected.low)),
    }


def _win_table(rows: list[dict[str, Any]]) -> str:
    """Return the win rates, one line per map; (!) marks what deviates from what was expected."""
    lines = []
    for map_name in dict.fromkeys(row['map'] for row in rows):
        by_policy = {row['policy']: row for row in rows if row['map'] == map_name}
        expected = by_policy['closest']['expected']
        cells = [_rate(by_policy[policy]) for policy in SCRIPTED_POLICIES]
        lines.append([map_name, *cells, expected['text'] if expected else ''])
    return markdown_table(['map', *SCRIPTED_POLICIES, 'expected of closest'], lines)


def _battle_table(rows: list[dict[str, Any]]) -> str:
    """Return mean return and mean length, one line per map."""
    lines = []
    for map_name in dict.fromkeys(row['map'] for row in rows):
        by_policy = {row['policy']: row for row in rows if row['map'] == map_name}
        shown = [by_policy[policy] for policy in SCRIPTED_POLICIES]
        lines.append([map_name, *[f'{row["mean_return"]:.1f} in {row["mean_length"]:.0f}' for row in shown]])
    return markdown_table(['mean return in env steps', *SCRIPTED_POLICIES], lines)


def _rate(row: dict[str, Any]) -> str:
    """'0.38 [0.35, 0.41]', and what deviates is marked."""
    low, high = row['win_rate_95']
    return f'{row["win_rate"]:.2f} [{low:.2f}, {high:.2f}]{" (!)" if row["deviates"] else ""}'


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--maps', nargs='+', default=list(SCENARIOS), choices=SCENARIOS, metavar='MAP')
    parser.add_argument('--battles', type=int, default=1000, help='of each policy on each map')
    parser.add_argument('--seed', type=int, default=0, help='battle i has seed + i')
    parser.add_argument('--note', default='', help='written beside the result')
    parser.add_argument('--out', default='docs/results/sim_baselines.json', help='JSON to write')
    parser.add_argument('--doc', help='Markdown page whose block sim_baselines is to be rewritten')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
