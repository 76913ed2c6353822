"""
Rules: what a value may be. They take any value without raising; bools are no numbers, and whole numbers stand for real
ones. Without an upper bound of its own a number is finite, which NaN and infinity are not.
"""
import math
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from ding_qmix.utils.keys import nearest_hint

_MOST = 10 ** 15  # more is a mistake: counts of anything stay exact in float64 below
_LONGEST = 80  # [characters] of a value in a message


class Rule(NamedTuple):
    """What a value may be."""
    expected: str  # for messages, such as 'a number in [0, 1]'
    fits: Callable[[Any], bool]
    noun: str = ''  # of names that users mistype, such as 'map'
    names: tuple = ()  # all values there are, if they can be listed
    low: Optional[float] = None  # of a number, least and greatest
    high: Optional[float] = None

    def problem(self, value: Any) -> Optional[str]:
        """Return what is wrong with a value, None if nothing is."""
        if self.fits(value):
            return None
        if self.noun and isinstance(value, str):
            return f'unknown {self.noun} {value!r}; {nearest_hint(value, self.names)}'
        return f'{shown(value)}, expected {self.expected}'


def integer(low: int = -_MOST, high: int = _MOST, unit: str = '') -> Rule:
    """Return the rule of a whole number in [low, high]."""
    return Rule(
        f'an integer{_range_text(low, high)}{_unit_text(unit)}',
        lambda v: _is_int(v) and low <= v <= high,
        low=low,
        high=high
    )


def number(low: float = -_MOST, high: float = _MOST, unit: str = '', above: bool = False) -> Rule:
    """Return the rule of a number in [low, high], or in (low, high] with ``above``; only high=inf takes infinity."""

    def fits(value: Any) -> bool:
        return (_is_int(value) or _is_float(value)) and (low < value if above else low <= value) and value <= high

    return Rule(f'a number{_range_text(low, high, above)}{_unit_text(unit)}', fits, low=low, high=high)


def choice(*values: Any, noun: str = '', expected: str = '') -> Rule:
    """Return the rule of one of some values; with ``noun`` the nearest one is named."""

    def fits(value: Any) -> bool:
        return any(type(value) is type(v) and value == v for v in values)

    return Rule(expected or f'one of {values}', fits, noun, values)


def optional(rule: Rule) -> Rule:
    """Return a rule that also takes None."""
    return rule._replace(expected=f'{rule.expected}, or None', fits=lambda v: v is None or rule.fits(v))


def union(one: Rule, other: Rule) -> Rule:
    """Return a rule that takes what either of two takes."""
    return Rule(f'{one.expected}, or {other.expected}', lambda v: one.fits(v) or other.fits(v))


def list_of(rule: Rule, least: int = 0) -> Rule:
    """Return the rule of a list, each item by a rule, of ``least`` items or more."""

    def fits(value: Any) -> bool:
        return isinstance(value, (list, tuple)) and len(value) >= least and all(map(rule.fits, value))

    return Rule(f'a list of {least} or more, each {rule.expected}', fits)


def shown(value: Any) -> str:
    """Return a value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f'{text[:_LONGEST]}...'


FLAG = Rule('True or False', lambda v: isinstance(v, (bool, np.bool_)))
TEXT = Rule('a string', lambda v: isinstance(v, str))
FOLDER = Rule('a string that names a folder', lambda v: isinstance(v, str) and v != '' and '\0' not in v)
SECTION = Rule('a section, dict(...)', lambda v: isinstance(v, Mapping))
ANYTHING = Rule('anything', lambda v: True)  # of others, who judge it


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and not math.isnan(value)


def _range_text(low: float, high: float, above: bool = False) -> str:
    """' in [0, 1]', ' of 1 or more', ' above 0', or what bounds there are."""
    if low <= -_MOST and high == _MOST:
        return ', finite'
    if high in (_MOST, math.inf):
        finite = '' if high == math.inf else ' and finite'
        return f' above {low:g}{finite}' if above else f' of {low:g} or more{finite}'
    return f' in {"(" if above else "["}{low:g}, {high:g}]'


def _unit_text(unit: str) -> str:
    return f' [{unit}]' if unit else ''
