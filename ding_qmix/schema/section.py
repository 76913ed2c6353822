"""Sections of a config: the keys they take, with defaults and rules."""
import copy
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Union

from ding_qmix.schema.rules import SECTION, Rule
from ding_qmix.utils.keys import check_keys


class Key(NamedTuple):
    """A key of a config."""
    default: Any
    rule: Rule


# A section's keys: with a default, without one (others write it), or a section of its own.
Schema = Mapping[str, Union[Key, Rule, 'Schema']]


def defaults(schema: Schema) -> dict[str, Any]:
    """Return the default config of a section."""
    return {
        name: copy.deepcopy(entry.default) if isinstance(entry, Key) else defaults(entry)
        for name, entry in schema.items() if not isinstance(entry, Rule)
    }


def check_section(path: str, given: Any, schema: Schema, known: Iterable[str] = ()) -> None:
    """
    Overview:
        Check what is given of a section; keys that are left out keep their default.
    Arguments:
        - path: of the section, for messages, such as 'policy.learn'
        - given: the section, or part of it
        - schema: its keys
        - known: further keys, whose values are others' to judge
    Raises:
        - ValueError: names the key's path, what came and what was expected, or the nearest known key
    """
    check_value(path, given, SECTION)
    check_keys(path, given, {*schema, *known})
    for name, value in given.items():
        entry = schema.get(name)
        if isinstance(entry, (Key, Rule)):
            check_value(f'{path}.{name}', value, entry.rule if isinstance(entry, Key) else entry)
        elif entry is not None:
            check_section(f'{path}.{name}', value, entry)


def check_value(path: str, value: Any, rule: Rule) -> None:
    """ValueError unless a value fits; it names the path."""
    problem = rule.problem(value)
    if problem is not None:
        raise ValueError(f'config {path}: {problem}')


def merge(base: Mapping[str, Any], *others: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config in which later ones override earlier ones, key by key and section by section; all stay as are."""
    merged = dict(base)
    for other in others:
        for name, value in other.items():
            both = isinstance(merged.get(name), Mapping) and isinstance(value, Mapping)
            merged[name] = merge(merged[name], value) if both else value
    return merged
