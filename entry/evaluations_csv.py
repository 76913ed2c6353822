"""
Write evaluations.csv of a run with DI-engine's own evaluator, from its TensorBoard log: env step, train iter, win rate
and time, as this package's evaluator writes them itself.

    python entry/evaluations_csv.py smac_MMM_qmix_ding_pipeline_seed0/log/serial evaluations.csv
"""
import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

TAGS = ('evaluator_step/reward_mean', 'evaluator_iter/reward_mean')  # the same figures over env steps, over train iters


def main(args: Optional[list[str]] = None) -> None:
    """Read a folder, write a file."""
    options = _parse(args)
    rows = list(read_evaluations(options.log))
    with open(options.out, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, ['env_step', 'train_iter', 'win_rate', 'elapsed_time'])
        writer.writeheader()
        writer.writerows(rows)


def read_evaluations(folder: Path) -> Iterator[dict[str, float]]:
    """
    Overview:
        Return one row per evaluation; DI-engine's evaluation returns are 1. for a won battle and 0. otherwise.
    Raises:
        - FileNotFoundError: there is no TensorBoard log
        - ValueError: there is no evaluation in it
    """
    if not any(folder.glob('events.out.tfevents.*')):
        raise FileNotFoundError(f'no TensorBoard log (events.out.tfevents.*) in {folder}; give <exp_name>/log/serial')
    # 0 keeps all events; those of a resumed run, whose steps begin anew, too.
    log = EventAccumulator(str(folder), size_guidance={SCALARS: 0}, purge_orphaned_data=False).Reload()
    known = log.Tags()[SCALARS]
    if not set(TAGS) <= set(known):
        raise ValueError(f"{folder}: no evaluation of DI-engine's evaluator, expected tags {TAGS}, found {known}")
    by_env_step, by_train_iter = map(log.Scalars, TAGS)
    start = log.FirstEventTimestamp()
    for event, same in zip(by_env_step, by_train_iter):
        elapsed = round(event.wall_time - start, 1)
        yield dict(env_step=event.step, train_iter=same.step, win_rate=event.value, elapsed_time=elapsed)


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('log', type=Path, help='folder of the TensorBoard log, <exp_name>/log/serial')
    parser.add_argument('out', help='CSV file to write')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
