"""Rules and sections: what they take, what they refuse and how they name it."""
import math
from typing import Any

import pytest

from ding_qmix.schema import (
    FLAG,
    SECTION,
    TEXT,
    Key,
    Rule,
    check_section,
    choice,
    defaults,
    integer,
    list_of,
    merge,
    number,
    optional,
    union,
)

INF, NAN = float('inf'), float('nan')
SCHEMA = dict(size=Key(3, integer(1, 9)), inner=dict(rate=Key(.5, number(0., 1.))), extra=FLAG)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'rule, good, bad', [
        (integer(1, 9, 's'), [1, 9], [0, 10, 1.5, 2., True, '3', None, NAN, INF, [2]]),
        (number(0., 1.), [0, 1, .5], [-.1, 1.1, True, '0', None, NAN, INF, [0.]]),
        (number(0., 1., above=True), [.1, 1], [0, 0., -1]),
        (number(), [-5, 1e9], [INF, -INF, NAN, 10 ** 400]),
        (number(0., INF), [0, INF], [-1., -INF, NAN]),
        (FLAG, [True, False], [0, 1, 'True', None]),
        (TEXT, ['', 'x'], [1, None, ['x']]),
        (choice('a', 'b'), ['a'], ['c', None, ['a'], 1]),
        (choice(False), [False], [0, True, 0.]),
        (optional(integer(1)), [None, 1], [0, 'x']),
        (union(integer(1), SECTION), [1, {}], [0, None, True]),
        (list_of(integer(1), 1), [[1], (2, 3)], [[], [0], 1, 'x', [True]]),
    ]
)
def test_rule_takes_and_refuses(rule: Rule, good: list, bad: list) -> None:
    assert [rule.problem(value) for value in good] == [None] * len(good)
    assert all(rule.problem(value) for value in bad)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'given, message', [
        (5, r'config top: 5, expected a section'),
        (dict(siz=1), r"config top: unknown key 'siz'; did you mean 'size'"),
        (dict(size=0), r'config top\.size: 0, expected an integer in \[1, 9\]'),
        (dict(inner=3), r'config top\.inner: 3, expected a section'),
        (dict(inner=dict(rate=NAN)), r'config top\.inner\.rate: nan, expected a number in \[0, 1\]'),
        (dict(extra=1), r'config top\.extra: 1, expected True or False'),
        ({
            3: 1
        }, r'config top: unknown key 3, expected a string'),
    ]
)
def test_section_names_path_value_and_expectation(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_section('top', given, SCHEMA)


@pytest.mark.unittest
def test_mistyped_name_gets_the_nearest_one() -> None:
    assert 'unknown map \'3mm\'; did you mean \'3m\'?' in str(choice('3m', '8m', noun='map').problem('3mm'))


@pytest.mark.unittest
def test_long_value_is_cut_in_the_message() -> None:
    assert len(str(TEXT.problem(list(range(1000))))) < 150


@pytest.mark.unittest
def test_defaults_leave_out_keys_without_one_and_share_nothing() -> None:
    schema = dict(SCHEMA, items=Key([], list_of(TEXT)))
    defaults(schema)['items'].append('x')
    assert defaults(schema) == dict(size=3, inner=dict(rate=.5), items=[])


@pytest.mark.unittest
def test_merge_goes_section_by_section_and_changes_nothing() -> None:
    base = dict(a=dict(b=1, c=2), d=3)
    assert merge(base, dict(a=dict(c=4)), dict(d=dict(e=5))) == dict(a=dict(b=1, c=4), d=dict(e=5))
    assert base == dict(a=dict(b=1, c=2), d=3) and math.isnan(merge({}, dict(x=NAN))['x'])
