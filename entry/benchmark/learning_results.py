"""What ``learning.py`` writes about all runs: CSV, the JSON that marl-eval reads, and a table."""
import csv
import json
import os
from collections import defaultdict
from typing import Any, Optional

import numpy as np

from ding_qmix.utils.report import markdown_table, write_json

Result = dict[str, Any]  # what learning_run.py wrote
N_LAST = 10  # evaluations whose mean is a run's final test win rate
GOOD = 0.9  # win rate whose first env step is told
_RUN_COLUMNS = (
    'map_name', 'label', 'seed', 'final_win_rate', 'absolute_win_rate', 'best_env_step', 'first_good_env_step',
    'env_step', 'minutes', 'n_threads', 'backend', 'backend_version', 'commit', 'date', 'cpu', 'cores', 'command'
)


def read_results(folder: str) -> list[Result]:
    """Return the results of all runs in a folder, by map, policy and seed."""
    results = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if name.endswith('.json'):
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                result = json.load(file)
            results += [result] if 'evaluations' in result else []
    return sorted(results, key=lambda result: (result['map_name'], result['label'], result['seed']))


def write_results(folder: str, results: list[Result]) -> str:
    """Write runs.csv, evaluations.csv, marl_eval.json and table.md; return the table."""
    _write_csv(os.path.join(folder, 'runs.csv'), [_run_row(result) for result in results])
    rows = [
        {
            'map_name': result['map_name'],
            'label': result['label'],
            'seed': result['seed'],
            **evaluation, 'backend_version': result['backend_version']
        } for result in results for evaluation in result['evaluations']
    ]
    _write_csv(os.path.join(folder, 'evaluations.csv'), rows)
    write_json(os.path.join(folder, 'marl_eval.json'), marl_eval(results))
    text = table(results)
    with open(os.path.join(folder, 'table.md'), 'w', encoding='utf-8') as file:
        file.write(text)
    return text


def final_win_rate(result: Result) -> float:
    """Return the mean test win rate of a run's last evaluations."""
    return float(np.mean([row['win_rate'] for row in result['evaluations'][-N_LAST:]]))


def first_good(result: Result) -> Optional[int]:
    """Return the [env steps] of the first evaluation with a win rate of GOOD or more, None if there is none."""
    return next((row['env_step'] for row in result['evaluations'] if row['win_rate'] >= GOOD), None)


def marl_eval(results: list[Result]) -> dict[str, Any]:
    """
    Overview:
        Return results as marl-eval takes them: {env: {map: {policy: {seed: steps and absolute metrics}}}}. There all
        runs of a map have the same number of steps: step k is the evaluation nearest to k intervals.
    Source: instadeepai/marl-eval README @ 5675ad6; it aligns runs by the number of the step
    """
    out: dict[str, Any] = {}
    for map_name in dict.fromkeys(result['map_name'] for result in results):
        runs = [result for result in results if result['map_name'] == map_name]
        interval = runs[0]['eval_env_steps']
        n_steps = 1 + min(result['evaluations'][-1]['env_step'] for result in runs) // interval
        for result in runs:
            seeds = out.setdefault(map_name, {}).setdefault(result['label'], {})
            seeds[f'seed_{result["seed"]}'] = {
                **{f'step_{k}': _step(nearest(result, k * interval))
                   for k in range(n_steps)},
                'absolute_metrics': {
                    'win_rate': [result['absolute_win_rate']]
                },
            }
    return {f'smac_{results[0]["backend"]}': out}


def nearest(result: Result, env_step: int) -> dict[str, Any]:
    """Return a run's evaluation that is nearest to an env step."""
    return min(result['evaluations'], key=lambda row: abs(row['env_step'] - env_step))


def table(results: list[Result]) -> str:
    """Return one line of Markdown per map and policy: medians over seeds, with the least and the largest."""
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[result['map_name'], result['label']].append(result)
    lines = [[map_name, label, str(len(runs)), *_cells(runs)] for (map_name, label), runs in groups.items()]
    head = [
        'map', 'policy', 'seeds', f'test win rate, last {N_LAST} evaluations',
        f'best policy, {results[0]["absolute_episodes"]} episodes', f'env steps to {GOOD}', 'env steps', 'minutes'
    ]
    versions = {f'{result["backend"]} {result["backend_version"]}' for result in results}
    return f'{markdown_table(head, lines)}\nMedian over seeds [least, largest]; {", ".join(sorted(versions))}.\n'


def _cells(runs: list[Result]) -> list[str]:
    """The figures of one map and policy."""
    good = [first_good(run) for run in runs]
    reached = [step for step in good if step is not None]
    steps = f'{int(np.median(reached)):,} in {len(reached)} of {len(runs)}' if reached else 'not reached'
    return [
        _spread([final_win_rate(run) for run in runs]),
        _spread([run['absolute_win_rate'] for run in runs]), steps, f'{runs[0]["env_step"]:,}',
        f'{np.median([run["minutes"] for run in runs]):.0f}'
    ]


def _spread(values: list[float]) -> str:
    """'0.97 [0.91, 1.00]'"""
    return f'{np.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]'


def _run_row(result: Result) -> dict[str, Any]:
    """One line of runs.csv."""
    values = {
        **result, 'final_win_rate': round(final_win_rate(result), 4),
        'first_good_env_step': first_good(result),
        'cpu': result['machine']['cpu'],
        'cores': result['machine']['cores']
    }
    return {name: values[name] for name in _RUN_COLUMNS}


def _step(evaluation: dict[str, Any]) -> dict[str, Any]:
    """One step of marl-eval's."""
    return {
        'step_count': evaluation['env_step'],
        'elapsed_time': evaluation['elapsed_time'],
        'win_rate': [evaluation['win_rate']]
    }


def _write_csv(path: str, rows: list[dict[str, Any]]) -> None:
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
