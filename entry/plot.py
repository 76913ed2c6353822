"""Draw learning curves from the evaluations.csv files of training runs."""
import argparse
import csv
from collections import defaultdict

import numpy as np


def main() -> None:
    """``python entry/plot.py --out curve.png QMIX=run0/log/evaluator/evaluations.csv QMIX=run1/...``"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('curves', nargs='+', metavar='LABEL=FILE', help='runs with the same label are one curve')
    parser.add_argument('--out', required=True, help='image to write, .png or .svg')
    parser.add_argument('--title', default='')
    args = parser.parse_args()
    groups: dict[str, list[str]] = defaultdict(list)
    for curve in args.curves:
        label, _, path = curve.partition('=')
        groups[label].append(path)
    draw({label: [read_curve(path) for path in paths] for label, paths in groups.items()}, args.out, args.title)


def read_curve(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Return env steps [n] and win rates [n] of one run."""
    with open(path, newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    step, win_rate = (np.array([float(row[name]) for row in rows]) for name in ('env_step', 'win_rate'))
    return step, win_rate


def draw(groups: dict[str, list], out: str, title: str) -> None:
    """Mean over a label's runs on their common range, each run thin behind it."""
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


if __name__ == '__main__':
    main()
