import difflib
from collections.abc import Iterable, Mapping
from typing import Any


def check_keys(where: str, given: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """
    Overview:
        Refuse keys that nobody reads, so that a typing error never trains with a default instead.
    Arguments:
        - where: name of the config section, for the message
        - given: the section
        - allowed: the keys that are read
    Raises:
        - ValueError: names the unknown key and the nearest known one. (Not KeyError: DI-engine's registries take that \
            for an unknown type and hide what it says.)
    """
    allowed = sorted(allowed)
    for key in given:
        if not isinstance(key, str):
            raise ValueError(f'config {where}: unknown key {key!r}, expected a string; known: {", ".join(allowed)}')
        if key not in allowed:
            raise ValueError(f'config {where}: unknown key {key!r}; {nearest_hint(key, allowed)}')


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Return 'did you mean ...?' and the list of what is known."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return (f'did you mean {near[0]!r}? ' if near else '') + f'known: {", ".join(known)}'
