"""Some hundred mutations of the shipped configs: each is refused by name, or harmless by declaration."""
import importlib
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch, repo: Path) -> ModuleType:
    """The entry, which imports its parts from its own folder."""
    monkeypatch.syspath_prepend(str(repo / 'entry' / 'benchmark'))
    return importlib.import_module('config_fuzz')


@pytest.mark.unittest
def test_every_mutation_is_refused_by_name_or_harmless(fuzz: ModuleType) -> None:
    results = [(m, *fuzz.check_outcome(m)) for m in fuzz.mutations(fuzz.shipped_configs(), 500, random.Random(7))]
    wrong = [f'{outcome}: {m.kind} {m.path}={m.value!r} {message}' for m, outcome, message in results]
    assert [line for line in wrong if not line.startswith((fuzz.REFUSED, fuzz.HARMLESS))] == []
    assert {m.kind for m, outcome, _ in results if outcome == fuzz.REFUSED} >= {'NaN', 'None', 'misspelt key', 'a list'}


@pytest.mark.unittest
def test_mutation_leaves_the_shipped_config_as_it_is(fuzz: ModuleType) -> None:
    pairs = fuzz.shipped_configs()[:2]
    before = repr(pairs)
    list(fuzz.mutations(pairs, 50, random.Random(1)))
    assert repr(pairs) == before


@pytest.mark.unittest
@pytest.mark.parametrize(
    'path, value, outcome', [
        ('policy.learn.batch_size', 16, 'harmless by declaration'),
        ('policy.learn.batch_size', 0, 'refused by name'),
    ]
)
def test_outcome_of_a_known_mutation(fuzz: ModuleType, path: str, value: Any, outcome: str) -> None:
    main, create = fuzz._tiny_config()
    main.policy.other.replay_buffer.replay_buffer_size = 20
    main.policy.learn.batch_size = value
    assert fuzz.check_outcome(fuzz.Mutation('zero', path, value, main, create))[0] == outcome


@pytest.mark.unittest
def test_command_prints_the_counts(fuzz: ModuleType, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        fuzz.main(['--mutations', '30'])
    assert ended.value.code == 0 and '30 mutations checked, seed 0' in capsys.readouterr().out
