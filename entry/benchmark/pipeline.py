"""
Measure update, collection and both together, DI-engine's own parts and this package's side by side.

    python entry/benchmark/pipeline.py --doc docs/speed.md

Every side runs in a process of its own. The sides take turns (A B C A B C ...), so that a machine that slows down slows
all of them; medians over the turns are reported.
"""
import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack, closing
from importlib import metadata
from typing import Any, Callable, NamedTuple, Optional

import pipeline_parts as parts
from pipeline_parts import SideSpec
from pipeline_process import SideProcess
from pipeline_table import result_tables

from ding_qmix.sim import SIM_VERSION
from ding_qmix.utils.report import describe_run, source_line, update_block, write_json

PARTS = ('update', 'collect', 'end_to_end')
BATCH_SIZE = 32  # [chunks] DI-engine's on MMM
DING_ENVS = (8, 16)  # envs of DI-engine's managers; 16: DI-engine's own on MMM
THREADS = ('1', 'default')  # of torch, with DI-engine's parts and plain torch; the faster counts
# [rounds] before the turns: batches' shapes vary, and torch prepares a product in bfloat16 for every shape anew and
# keeps it. DI-engine's batches all have one shape.
WARM_UP = 10

Row = dict[str, Any]
StartSide = Callable[[SideSpec, bool, str], Any]


class Entrant(NamedTuple):
    """A side under one number of torch's threads."""
    spec: SideSpec
    side: Any
    threads: str  # a number, or 'default'


def main(args: Optional[list[str]] = None, start: StartSide = SideProcess) -> None:
    """Measure, print the tables, write the JSON. ``start`` makes a side, see ``SideProcess``."""
    options = _parse(args)
    run = describe_run(options.note)
    run['versions'].update(torch=metadata.version('torch'), di_engine=metadata.version('DI-engine'))
    result: dict[str, Any] = {'what': 'speed of update, collection and both', 'sim_version': SIM_VERSION, **run}
    result.update(
        {name: getattr(options, name)
         for name in ('repeats', 'rounds', 'seconds', 'episodes', 'updates')},
        batch_size=BATCH_SIZE,
        chunk_len=parts.CHUNK_LEN,
        episode_len=parts.EPISODE_LEN,
        free_episode_len=parts.FREE_EPISODE_LEN,
        epsilon=parts.EPSILON
    )
    measures = {'update': _measure_updates, 'collect': _measure_collection, 'end_to_end': _measure_pipelines}
    for group in (('update', ), ('collect', 'end_to_end')):  # the latter two share their sides
        chosen = [part for part in group if part in options.only]
        specs = _specs(chosen, options)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            sides = [stack.enter_context(closing(start(spec, group == ('update', ), folder))) for spec in specs]
            for part in chosen:
                entrants = _entrants(part, specs, sides)
                _report(f'{part}: {len(specs)} sides, {len(entrants)} entrants\n')
                rows = measures[part](entrants, options)
                result[part] = [
                    {
                        'side': e.spec._asdict(),
                        'threads': e.threads,
                        **row
                    } for e, row in zip(entrants, rows)
                ]
    write_json(options.out, result)
    text = f'{result_tables(result)}\n{source_line(run)}'
    _report(text)
    if options.doc:
        update_block(options.doc, 'pipeline_speed', text)


def _specs(chosen: list[str], options: argparse.Namespace) -> list[SideSpec]:
    """Return who takes part."""
    if not chosen:
        return []
    size = dict(n_episode=options.episodes, n_updates=options.updates)
    ours = [SideSpec('ours', **size)]
    if chosen != ['collect']:
        ours.append(SideSpec('ours', bf16=True, **size))
    if chosen == ['update']:
        return [SideSpec(kind, **size) for kind in ('ding', 'plain')] + ours
    n_envs = sorted({min(n, options.episodes) for n in (DING_ENVS if 'collect' in chosen else DING_ENVS[-1:])})
    ding = [SideSpec('ding', 'sim', manager, n, **size) for manager in ('base', 'subprocess') for n in n_envs]
    return [*ding, SideSpec('ding', 'free', 'base', n_envs[-1], **size), *ours]


def _entrants(part: str, specs: list[SideSpec], sides: list[Any]) -> list[Entrant]:
    """Return the sides of a part with the threads to try: one and the default, but ours as it is."""
    return [
        Entrant(spec, side, threads) for spec, side in zip(specs, sides) if _takes_part(part, spec)
        for threads in (('default', ) if spec.kind == 'ours' else THREADS)
    ]


def _takes_part(part: str, spec: SideSpec) -> bool:
    """Leave out what would tell nothing new."""
    if part == 'collect':
        return not spec.bf16  # acting is the same
    # End to end as many envs as in DI-engine's config.
    return part == 'update' or spec.n_envs >= min(DING_ENVS[-1], spec.n_episode)


def _measure_updates(entrants: list[Entrant], options: argparse.Namespace) -> list[Row]:
    """Return per entrant the time of an update, by length and with or without sampling."""
    rows: list[Row] = [{} for _ in entrants]
    for n_steps in (parts.CHUNK_LEN, parts.EPISODE_LEN):
        turns = _take_turns(entrants, ('update', n_steps, options.seconds), options.repeats)
        for row, answers in zip(rows, turns):
            figures = _medians(answers)
            row[str(n_steps)] = dict(figures, trained_env_steps_per_s=BATCH_SIZE * n_steps / figures['ready_s'])
    return rows


def _measure_collection(entrants: list[Entrant], options: argparse.Namespace) -> list[Row]:
    """Return per entrant the rate of collection."""
    return [_medians(answers) for answers in _take_turns(entrants, ('collect', ), options.rounds)]


def _measure_pipelines(entrants: list[Entrant], options: argparse.Namespace) -> list[Row]:
    """Return per entrant the rate of collection and training together, and memory."""
    for entrant in entrants:
        if entrant.spec.kind == 'ours':
            for _ in range(WARM_UP):
                entrant.side.ask(entrant.threads, 'round')
    turns = _take_turns(entrants, ('round', ), options.rounds)
    return [{**_medians(answers), **e.side.ask(e.threads, 'memory')} for e, answers in zip(entrants, turns)]


def _take_turns(entrants: list[Entrant], command: tuple[Any, ...], n_turns: int) -> list[list[dict[str, float]]]:
    """Return each entrant's answers; the first turn warms up and does not count."""
    turns: list[list[dict[str, float]]] = [[] for _ in entrants]
    for turn in range(n_turns + 1):
        for entrant, answers in zip(entrants, turns):
            answers.append(entrant.side.ask(entrant.threads, *command))
        _report(f'  {" ".join(map(str, command))}: {"warmed up" if turn == 0 else f"turn {turn} of {n_turns}"}\n')
    return [answers[1:] for answers in turns]


def _medians(answers: list[dict[str, float]]) -> Row:
    """Return the median of every figure, and all of those that are times or rates."""
    names = list(answers[0])
    row: Row = {name: round(statistics.median(answer[name] for answer in answers), 6) for name in names}
    row['all'] = {
        name: [round(a[name], 6) for a in answers]
        for name in names if name.endswith('_s') or name == 'seconds'
    }
    return row


def _report(text: str) -> None:
    """Write to the terminal at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', nargs='+', default=list(PARTS), choices=PARTS, metavar='PART', help=', '.join(PARTS))
    parser.add_argument('--repeats', type=int, default=7, help='turns of each update')
    parser.add_argument('--rounds', type=int, default=5, help='turns of collection, and of collection with training')
    parser.add_argument('--seconds', type=float, default=0.5, help='of updates in one turn')
    parser.add_argument('--episodes', type=int, default=32, help="of one collection; DI-engine's on MMM: 32")
    parser.add_argument('--updates', type=int, default=20, help="after each collection; DI-engine's on MMM: 20")
    parser.add_argument('--note', default='', help='written beside the result, such as: the machine was shared')
    parser.add_argument('--out', default='docs/results/pipeline_speed.json', help='JSON to write')
    parser.add_argument('--doc', help='Markdown page whose block pipeline_speed is to be rewritten')
    return parser.parse_args(args)


if __name__ == '__main__':
    main()
