"""Importing DI-engine without the notices of its imports on the user's terminal."""
import contextlib
import importlib
import logging
import warnings
from collections.abc import Iterator

# What DI-engine 0.5.3 writes to the root logger while it is imported: optional parts of it that are not installed.
_LOG_NOTICES = ('Please install pyecharts', 'not found transformer')
# What the packages below DI-engine warn of while they are imported: their use of others' deprecated functions.
_WARNING_NOTICES = (
    ('.*_register_pytree_node.*', FutureWarning),  # treevalue, of torch
    (r'(ast\.Str|Attribute s) is deprecated', DeprecationWarning),  # werkzeug, of Python 3.12
    (r'Python 3\.\d+ is no longer supported', UserWarning),  # cryptography, of Python 3.8
)


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """
    Overview:
        Silence what our imports are known to say: Gym's notice, DI-engine's log lines, deprecations.
        Everything else still comes through, also during the import. Afterwards logging and warnings are as they were:
        handlers and filters that the imports added are gone (Gym, for one, makes every DeprecationWarning in the
        process visible, and a log line before any configuration installs a handler on the root logger).
    """
    with _no_gym_notice(), _no_log_notices(), warnings.catch_warnings():
        with contextlib.suppress(ImportError):
            importlib.import_module('gym')  # before our filters, as it puts one of its own in front of all
        for message, category in _WARNING_NOTICES:
            warnings.filterwarnings('ignore', message, category)
        yield


@contextlib.contextmanager
def _no_gym_notice() -> Iterator[None]:
    """Gym prints its notice on stderr, no warning, no log; the text comes from a table in another package."""
    table: dict[str, str] = {}
    with contextlib.suppress(ImportError):
        table = importlib.import_module('gym_notices.notices').notices
    notices = dict(table)
    table.clear()
    try:
        yield
    finally:
        table.update(notices)


@contextlib.contextmanager
def _no_log_notices() -> Iterator[None]:
    """Drop the known lines; with no handler installed, let the others go where Python would send them."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    if not handlers and logging.lastResort is not None:
        root.addHandler(logging.lastResort)
    root.addFilter(_is_no_notice)
    try:
        yield
    finally:
        root.removeFilter(_is_no_notice)
        root.handlers[:] = handlers
        root.setLevel(level)


def _is_no_notice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_LOG_NOTICES)
