"""
Mutate the shipped configs at random, one key at a time, and count what the check of a config says to it:

    python entry/benchmark/config_fuzz.py --mutations 10000
    python entry/benchmark/config_fuzz.py --mutations 0 --starts 100    # train a little with what the check accepts

Every mutation must be refused with an error that names the key, or be harmless by declaration: the value is one that
the key is declared to take. Exit status 1 where one is not; those are listed.
"""
import argparse
import collections
import contextlib
import copy
import glob
import importlib
import io
import itertools
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple, Optional

from config_schemas import declared_rule, full_configs

from ding_qmix.config import make_config
from ding_qmix.config_check import OUR_POLICIES, check_config
from ding_qmix.utils.report import markdown_table

REFUSED, HARMLESS = 'refused by name', 'harmless by declaration'
NAMELESS, OBSCURE, ACCEPTED = 'refused without name', 'obscure error', 'accepted against declaration'
OUTCOMES = (REFUSED, HARMLESS, NAMELESS, OBSCURE, ACCEPTED)
_NO = object()  # a mutation that does not apply


class Mutation(NamedTuple):
    """A pair of configs of which one key was changed."""
    kind: str
    path: str  # of the key, such as 'policy.learn.batch_size' or 'create_config.collector.type'
    value: Any  # that it has now
    main_config: Any
    create_config: Any


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _if(applies: Callable[[Any], bool], value: Any) -> Callable[[Any], Any]:
    return lambda old: value if applies(old) else _NO


VALUES: dict[str, Callable[[Any], Any]] = {
    'a string for something else': lambda old: _NO if isinstance(old, str) else 'x',
    'another string': lambda old: f'{old}x' if isinstance(old, str) else _NO,
    'a number for a string': _if(lambda old: isinstance(old, str), 3),
    'a number for a section': _if(lambda old: isinstance(old, Mapping), 5),
    'None': lambda old: None,
    'a list': lambda old: [old],
    'a section for a value': lambda old: _NO if isinstance(old, Mapping) else {
        'a': old
    },
    'a string for a bool': lambda old: str(old) if isinstance(old, bool) else _NO,
    'a number for a bool': lambda old: int(old) if isinstance(old, bool) else _NO,
    'the other bool': lambda old: not old if isinstance(old, bool) else _NO,
    'a bool for a number': _if(_is_number, True),
    'NaN': _if(_is_number, float('nan')),
    'infinity': _if(_is_number, float('inf')),
    'minus infinity': _if(_is_number, -float('inf')),
    'negative': lambda old: -abs(old) - 1 if _is_number(old) else _NO,
    'zero': lambda old: type(old)(0) if _is_number(old) else _NO,
    'huge': lambda old: 10 ** 18 if _is_number(old) else _NO,
    'a fraction for an integer': lambda old: old + .5 if isinstance(old, int) and _is_number(old) else _NO,
}
KEYS = ('misspelt key', 'unknown key', 'key removed')


def main(args: Optional[list[str]] = None) -> None:
    """Mutate, check, print the counts; exit status 1 where a mutation is neither refused by name nor harmless."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--mutations', type=int, default=10000, help='that are checked')
    parser.add_argument('--starts', type=int, default=0, help='accepted mutations that train a little on map 3m')
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args(args)
    rng, failed = random.Random(given.seed), False
    bases = [pair for pair in shipped_configs() for _ in range(6 if _is_ours(pair) else 1)]
    accepted = (m for m in mutations([_tiny_config()], sys.maxsize, rng) if check_outcome(m)[0] == HARMLESS)
    for title, mutated, outcome in (
        ('checked', mutations(bases, given.mutations, rng), check_outcome),
        ('accepted and started', itertools.islice(accepted, given.starts), start_outcome),
    ):
        results = [(mutation, *outcome(mutation)) for mutation in mutated]
        if results:
            print(f'{len(results)} mutations {title}, seed {given.seed}\n\n{outcome_table(results)}')
        for mutation, result, message in results:
            if result not in (REFUSED, HARMLESS):
                failed = True
                print(f'{result}: {mutation.kind}, {mutation.path}={mutation.value!r}: {message}')
    sys.exit(1 if failed else 0)


def shipped_configs() -> list[tuple[Any, Any]]:
    """Return main_config and create_config of every file in dizoo_configs, as they are and with all keys filled in."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'dizoo_configs')
    names = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(folder, 'smac_*.py')))
    modules = [importlib.import_module(f'dizoo_configs.{name}') for name in names]
    pairs = [(module.main_config, module.create_config) for module in modules]
    return pairs + [full_configs(*pair) for pair in pairs]


def mutations(pairs: list[tuple[Any, Any]], n: int, rng: random.Random) -> Iterator[Mutation]:
    """Yield n mutations of pairs of configs; of DI-engine's own policies the env's part and create_config alone."""
    kinds = (*VALUES, *KEYS)
    while n > 0:
        pair = rng.choice(pairs)
        path = rng.choice(_paths(pair))
        mutation = _mutate(pair, path, rng.choice(kinds), rng)
        if mutation is not None:
            n -= 1
            yield mutation


def check_outcome(mutation: Mutation) -> tuple[str, str]:
    """Return what the check of a config makes of a mutation, and the error's message."""
    return _outcome(mutation, check_config)


def start_outcome(mutation: Mutation) -> tuple[str, str]:
    """Return what DI-engine's pipeline makes of a mutation that the check accepts: evaluate, collect, update."""
    from ding.entry import serial_pipeline

    def start(main_config: Any, create_config: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            serial_pipeline((main_config, create_config), seed=0, max_env_step=1, max_train_iter=1)

    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return _outcome(mutation, start)
        finally:
            os.chdir(here)


def outcome_table(results: list[tuple[Mutation, str, str]]) -> str:
    """Return the counts by kind of mutation and outcome as a table in Markdown."""
    counts = collections.Counter((mutation.kind, outcome) for mutation, outcome, _ in results)
    totals = collections.Counter(outcome for _, outcome, _ in results)
    rows = [[kind, *(str(counts[kind, outcome]) for outcome in OUTCOMES)] for kind in (*VALUES, *KEYS)]
    return markdown_table(['mutation', *OUTCOMES], [*rows, ['all', *(str(totals[outcome]) for outcome in OUTCOMES)]])


def _outcome(mutation: Mutation, check: Callable[[Any, Any], Any]) -> tuple[str, str]:
    try:
        check(mutation.main_config, mutation.create_config)
    except (ValueError, FileNotFoundError) as error:
        return (REFUSED if _names(str(error), mutation.path) else NAMELESS), str(error)
    except Exception as error:  # whatever it is, it is no answer to a config
        return OBSCURE, f'{type(error).__name__}: {error}'
    return (HARMLESS if _is_declared(mutation) else ACCEPTED), ''


def _names(message: str, path: str) -> bool:
    """An error names a key by its path, or the section's path and the key."""
    section, _, key = path.rpartition('.')
    return path in message or (f'config {section}' in message and key in message)


def _is_declared(mutation: Mutation) -> bool:
    """Return whether a mutation is one that its key is declared to take; a key that is removed has its default."""
    if mutation.kind == 'key removed':
        return True
    rule = declared_rule(mutation.path, mutation.main_config, mutation.create_config)
    return rule is not None and rule.fits(mutation.value)


def _is_ours(pair: tuple[Any, Any]) -> bool:
    return pair[1]['policy']['type'] in OUR_POLICIES


def _paths(pair: tuple[Any, Any]) -> list[tuple[str, ...]]:
    """All keys that can be mutated, sections too."""
    main_config, create_config = pair
    if not _is_ours(pair):
        main_config = {name: {} if name == 'policy' else value for name, value in main_config.items()}
    return [path for path in _paths_below(('main_config', ), main_config) if path[1:] != ('seed', )
            ] + list(_paths_below(('create_config', ), create_config))


def _paths_below(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, ...]]:
    yield path
    for name, below in value.items() if isinstance(value, Mapping) else ():
        yield from _paths_below((*path, name), below)


def _mutate(pair: tuple[Any, Any], path: tuple[str, ...], kind: str, rng: random.Random) -> Optional[Mutation]:
    """Return a mutation of one key, None if the kind does not apply to it."""
    tree: Any = dict(zip(('main_config', 'create_config'), copy.deepcopy(pair)))
    section = tree
    for name in path[:-1]:
        section = section[name]
    old, name = section[path[-1]], path[-1]
    if kind in VALUES:
        value = VALUES[kind](old)
        if value is _NO or (type(value) is type(old) and value == old):
            return None
        section[name] = value
    elif len(path) == 1:
        return None
    elif kind == 'unknown key':
        name, value = f'{name}_2', old
        section[name] = value
    else:
        value = section.pop(name)
        if kind == 'misspelt key':
            i = rng.randrange(len(name))
            name = name[:i] + name[i + 1:] + ('' if len(name) > 1 else 'z')
            section[name] = value
    shown = path[1:-1] if path[0] == 'main_config' and len(path) > 1 else path[:-1]
    return Mutation(kind, '.'.join((*shown, name)), value, tree['main_config'], tree['create_config'])


def _tiny_config() -> tuple[Any, Any]:
    """A run of one collection and one update on 3m."""
    main_config, create_config = full_configs(
        *make_config(
            '3m',
            exp_name='fuzz',
            env=dict(collector_env_num=2, evaluator_env_num=2, n_evaluator_episode=2),
            policy=dict(
                model=dict(hidden_size_list=[8]),
                learn=dict(update_per_collect=1, batch_size=2),
                collect=dict(n_episode=2),
                other=dict(replay_buffer=dict(replay_buffer_size=20)),
            ),
        )
    )
    main_config.policy.pop('type')  # DI-engine's pipeline adds '_command' to that of create_config
    return main_config, create_config


if __name__ == '__main__':
    main()
