"""
Write evaluations.csv of a run with DI-engine's own evaluator, from its TensorBoard log: env step, train iter, win rate
and time, as this package's evaluator writes them itself.

    python entry/evaluations_csv.py smac_MMM_qmix_stock_seed0/log/serial evaluations.csv
"""
import csv
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from tensorboardX.proto.event_pb2 import Event

TAGS = {'evaluator_step': 'env_step', 'evaluator_iter': 'train_iter'}  # what the steps of a scalar count, by its tag


def main(args: Optional[list[str]] = None) -> None:
    """Read a folder, write a file."""
    folder, out = sys.argv[1:] if args is None else args
    rows = list(read_evaluations(Path(folder)))
    with open(out, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, ['env_step', 'train_iter', 'win_rate', 'elapsed_time'])
        writer.writeheader()
        writer.writerows(rows)


def read_evaluations(folder: Path) -> Iterator[dict[str, float]]:
    """
    Overview:
        Return one row an evaluation; DI-engine's evaluation returns are 1. for a won battle and 0. otherwise.
    Raises:
        - FileNotFoundError: there is no TensorBoard log
    """
    paths = sorted(folder.glob('events.out.tfevents.*'))
    if not paths:
        raise FileNotFoundError(f'no TensorBoard log (events.out.tfevents.*) in {folder}; give <exp_name>/log/serial')
    events = [event for path in paths for event in _read_events(path)]
    counts: dict[str, list[float]] = {name: [] for name in (*TAGS.values(), 'win_rate', 'time')}
    for event in events:
        for value in event.summary.value:
            part, _, name = value.tag.partition('/')
            if part in TAGS and name == 'reward_mean':
                counts[TAGS[part]].append(event.step)
                if part == 'evaluator_step':
                    counts['win_rate'].append(value.simple_value)
                    counts['time'].append(event.wall_time)
    start = events[0].wall_time
    for env_step, train_iter, win_rate, moment in zip(*counts.values()):
        yield dict(env_step=env_step, train_iter=train_iter, win_rate=win_rate, elapsed_time=round(moment - start, 1))


def _read_events(path: Path) -> Iterator[Event]:
    """Records of a TensorBoard file: length (8 bytes), checksum (4), event, checksum (4)."""
    data, at = path.read_bytes(), 0
    while at + 12 <= len(data):
        length, = struct.unpack_from('<Q', data, at)
        yield Event.FromString(data[at + 12:at + 12 + length])
        at += 16 + length


if __name__ == '__main__':
    main()
