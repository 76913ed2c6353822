"""
Draw learning curves from the evaluations.csv files of training runs.

    python entry/plot.py --out curve.png QMIX=run0/log/evaluator/evaluations.csv QMIX=run1/...
"""
import argparse
import csv
from collections import defaultdict
from typing import Optional

import numpy as np

Curve = tuple[np.ndarray, np.ndarray]  # env steps [n] and win rates [n] of one run


def main(args: Optional[list[str]] = None) -> None:
    """Read the runs, draw them."""
    options = _parse(args)
    groups: dict[str, list[Curve]] = defaultdict(list)
    for curve in options.curves:
        label, _, path = curve.partition('=')
        groups[label].append(read_curve(path))
    draw(groups, options.out, options.title)


def read_curve(path: str) -> Curve:
    """Return env steps and win rates of one run."""
    with open(path, newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    env_step, win_rate = (np.array([float(row[name]) for row in rows]) for name in ('env_step', 'win_rate'))
    return env_step, win_rate


def draw(groups: dict[str, list[Curve]], out: str, title: str) -> None:
    """Draw the mean over a label's runs on their common range, each run thin behind it."""
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    figure, axis = plt.subplots(figsize=(7, 3.6), dpi=120)
    for label, runs in groups.items():
        grid = np.linspace(0, min(step[-1] for step, _ in runs), 200)
        mean = np.mean([np.interp(grid, step, rate) for step, rate in runs], axis=0)
        line, = axis.plot(grid / 1e3, mean, lw=2, label=f'{label} ({len(runs)} seeds)')
        for step, rate in runs:
            axis.plot(step / 1e3, rate, lw=0.7, alpha=0.35, color=line.get_color())
    axis.set(xlabel='env steps [thousands]', ylabel='test win rate', ylim=(-0.02, 1.02), title=title)
    axis.grid(alpha=0.3)
    axis.legend(loc='upper left', frameon=False)
    figure.tight_layout()
    figure.savefig(out)


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('curves', nargs='+', metavar='LABEL=FILE', help='runs with the same label are one curve')
    parser.add_argument('--out', required=True, help='image to write, .png or .svg')
    parser.add_argument('--title', default='')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
