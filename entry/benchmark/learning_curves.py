"""
Train QMIX with PyMARL's own settings in the simulator and hold its learning curves beside those of the real game:

    python entry/benchmark/learning_curves.py --seeds 0 1 2 3 4 --jobs 2 --out learning_curves

A simulator that is as hard as the game gives the same curves with the same settings. Runs are those of learning.py, so
what is missing runs. Figures of the real game: learning_curves_real.json, with their sources.
"""
import argparse
import csv
import json
import os
import sys
from typing import Any, NamedTuple, Optional

import learning
import numpy as np
from learning_results import Result, read_results

from ding_qmix.utils.report import markdown_table

_REAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'learning_curves_real.json')
BLOCK = 50_000  # [env steps]


class Window(NamedTuple):
    """Where the win rates of a map are compared, [env steps]."""
    low: int
    high: int


# On 5m_vs_6m with TD(lambda) 0.6: with 1-step targets hardly anything is learned in the time.
WINDOWS = {
    '3m': Window(100_000, 300_000),
    '8m': Window(100_000, 300_000),
    '2s3z': Window(100_000, 300_000),
    '5m_vs_6m': Window(300_000, 500_000)
}


class Run(NamedTuple):
    """A run of either game."""
    map_name: str
    game: str  # 'real' or 'simulated'
    source: str
    window_mean: float  # test win rate
    block_means: list[float]  # in each BLOCK


def main(args: Optional[list[str]] = None) -> None:
    """Run what is missing, write CSV, picture and table."""
    options = _parse(args)
    for map_name in options.maps:
        seeds = ' '.join(map(str, options.seeds))
        text = f'--maps {map_name} --policies qmix_pymarl --seeds {seeds} --env-step {WINDOWS[map_name].high}'
        learning.main([*text.split(), '--jobs', str(options.jobs), '--out', options.out])
    real, results = read_real(), read_results(options.out)
    runs = [run for run in real if run.map_name in options.maps] + [simulated(result) for result in results]
    write_csv(os.path.join(options.out, 'real_and_simulated.csv'), runs)
    text = table(runs, results[0]['backend_version'])
    with open(os.path.join(options.out, 'real_and_simulated.md'), 'w', encoding='utf-8') as file:
        file.write(text)
    sys.stdout.write(text)
    draw(runs, os.path.join(options.out, 'real_and_simulated.png'), results[0]['backend_version'])


def read_real() -> list[Run]:
    """Return the real game's runs."""
    with open(_REAL, encoding='utf-8') as file:
        runs = json.load(file)['runs']
    return [Run(run['map_name'], 'real', run['source'], run['window_mean'], run['block_means']) for run in runs]


def simulated(result: Result) -> Run:
    """Return what a run of ``learning.py`` came to, in the same windows and blocks."""
    window = WINDOWS[result['map_name']]
    edges = range(0, window.high, BLOCK)
    blocks = [mean_win_rate(result['evaluations'], low, low + BLOCK) for low in edges]
    mean = mean_win_rate(result['evaluations'], window.low, window.high)
    return Run(result['map_name'], 'simulated', f'seed {result["seed"]}', mean, blocks)


def mean_win_rate(evaluations: list[dict[str, Any]], low: int, high: int) -> float:
    """
    Overview:
        Return the mean over the evaluations above ``low`` and up to ``high`` [env steps].
    Raises:
        - ValueError: there is none
    """
    rates = [row['win_rate'] for row in evaluations if low < row['env_step'] <= high]
    if not rates:
        raise ValueError(f'no evaluation between {low:,} and {high:,} env steps, the last one is {evaluations[-1]}')
    return round(float(np.mean(rates)), 4)


def write_csv(path: str, runs: list[Run]) -> None:
    """Write one row per run."""
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['map_name', 'game', 'source', 'window_mean', f'means per {BLOCK} env steps'])
        writer.writerows([*run[:4], ' '.join(map(str, run.block_means))] for run in runs)


def table(runs: list[Run], version: str) -> str:
    """Return one line of Markdown per map: mean, least and largest of both games."""
    lines = []
    for map_name in dict.fromkeys(run.map_name for run in runs):
        window, cells = WINDOWS[map_name], []
        for game in ('real', 'simulated'):
            means = [run.window_mean for run in runs if (run.map_name, run.game) == (map_name, game)]
            cells.append(f'{np.mean(means):.2f} [{min(means):.2f}, {max(means):.2f}], {len(means)} runs')
        lines.append([map_name, f'{window.low:,} to {window.high:,}', *cells])
    head = ['map', 'env steps', 'StarCraft II', f'simulator {version}']
    return f'{markdown_table(head, lines)}\nMean test win rate over the env steps, of the runs [least, largest].\n'


def draw(runs: list[Run], path: str, version: str) -> None:
    """Draw a panel per map: each run thin, the mean of each game over the blocks that all its runs have."""
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    maps = list(dict.fromkeys(run.map_name for run in runs))
    figure, axes = plt.subplots(1, len(maps), figsize=(3.2 * len(maps), 3), dpi=120, sharey=True, squeeze=False)
    for axis, map_name in zip(axes[0], maps):
        for game, color, label in (('real', 'C0', 'StarCraft II'), ('simulated', 'C1', f'simulator {version}')):
            curves = [run.block_means for run in runs if (run.map_name, run.game) == (map_name, game)]
            for curve in curves:
                axis.plot(_middles(len(curve)), curve, color=color, lw=0.7, alpha=0.4)
            shared = min(map(len, curves))
            mean = np.mean([curve[:shared] for curve in curves], axis=0)
            axis.plot(_middles(shared), mean, color=color, lw=2, label=f'{label} ({len(curves)})')
        axis.set(title=map_name, xlabel='env steps [thousands]', ylim=(-0.02, 1.02))
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel('test win rate')
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _middles(n_blocks: int) -> np.ndarray:
    """[thousands of env steps]"""
    return (np.arange(n_blocks) + 0.5) * BLOCK / 1e3


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--maps', nargs='+', default=list(WINDOWS), choices=WINDOWS, metavar='MAP')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time, one thread each')
    parser.add_argument('--out', default='learning_curves', help='folder of the results')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
