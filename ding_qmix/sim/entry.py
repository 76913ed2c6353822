"""Calls compiled code without the search for the code of the arguments' types."""
from typing import Any, Callable

import numba


def bind(function: Any, arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """
    Overview:
        Return what runs a compiled function on arguments of the types of these, and of no others.

        Numba looks at the type of each of some sixty arguments at every call, which takes 8 us: as long as an env step
        of MMM. What is returned looks at none of them: it must get arrays of the very dtypes and layouts of these.
    """
    if not hasattr(function, 'compile'):  # NUMBA_DISABLE_JIT
        return function
    types = tuple(numba.typeof(argument) for argument in arguments)
    function.compile(types)
    return function.overloads[types].entry_point
