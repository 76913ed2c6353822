"""
How kernels are compiled and cached: the one place that says so.

A kernel works in place on arrays it is given and allocates none. So it needs no reference counting (``_nrt``): the
counts are atomic operations per array and call, and cost nine tenths of the simulator's time. Divisions follow IEEE
rules instead of raising. No fastmath: results do not depend on how the compiler groups sums.

Compiled code is kept on disk and belongs to the contents of the sources it was made from: the kernel's file and all
files of this package that it imports, directly or not, this one included. An edit of any of them compiles the kernel
anew; a copy of the same sources does not. It is kept in the first of these folders that can be written:
``NUMBA_CACHE_DIR``, ``__pycache__`` beside the source, the user's cache folder, a temporary folder of the user's.
"""
import atexit
import contextlib
import functools
import hashlib
import logging
import os
import pickle
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from typing import Any, Callable, Optional

from numba import __version__ as numba_version
from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.misc.appdirs import AppDirs

JIT = not config.DISABLE_JIT  # without it kernels are plain Python, far too slow for a network
_ALLOCATING: dict[str, Any] = dict(error_model='numpy')
_OPTIONS: dict[str, Any] = dict(_ALLOCATING, _nrt=False)
_CONTRACT = {'contract', 'nsz', 'arcp'}
_NOT_FROM_PYTHON: dict[str, Any] = dict(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # saves compiling the way in

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
# A regular expression is 50 times as fast as Python's parser; a test holds it against the parser.
_IMPORT = re.compile(r'^[ \t]*(?:from[ \t]+(\S+)[ \t]+import\b[ \t]*(\([^)]*\)|.*)|import[ \t]+(.*))', re.MULTILINE)
# What reading raises where a file is damaged, or where the types in it have moved.
_UNREADABLE = (AttributeError, EOFError, ImportError, pickle.UnpicklingError)
# Called with 'defined', 'loaded' (from the cache), 'begun' or 'ended' (being compiled), and a kernel's name.
watchers: list[Callable[[str, str], None]] = []
_FIX = 'set NUMBA_CACHE_DIR to a folder that can be written, and compiled kernels are kept there'


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that kernels and Python call."""
    return _compile(function, **_OPTIONS)


def allocating_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that allocates arrays; for preparations, which run once per map."""
    return _compile(function, **_ALLOCATING)


def outer_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that releases the GIL while it runs, so that threads can share its work."""
    return _compile(function, nogil=True, **_OPTIONS)


def inner_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that only kernels call; Python must not, the process would end."""
    return _compile(function, **_OPTIONS, **_NOT_FROM_PYTHON)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Overview:
        Compile a kernel into the kernels that call it; Python must not, the process would end.
        An array is passed as a dozen words, a battle as a hundred, so that an ordinary call costs more than most
        kernels do: an env step takes half the time with inlining.
    """
    return _compile(function, forceinline=True, **_OPTIONS, **_NOT_FROM_PYTHON)


def fast_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Overview:
        Compile a kernel of the networks, which releases the GIL; Python and kernels call it. A product and a sum may
        become one instruction, which is twice as fast and no less exact.
    """
    return _compile(function, nogil=True, fastmath=_CONTRACT, **_OPTIONS)


def fast_inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel of the networks into the kernels that call it."""
    return _compile(function, nogil=True, fastmath=_CONTRACT, forceinline=True, **_OPTIONS)


def fast_sum_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """As ``fast_inline_kernel``; the terms of a sum may be grouped too, as any linear algebra library does."""
    return _compile(function, nogil=True, fastmath=_CONTRACT | {'reassoc'}, forceinline=True, **_OPTIONS)


def _compile(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    dispatcher, file = njit(**options)(function), function.__code__.co_filename
    if JIT and os.path.isfile(file) and _cache_folder(os.path.dirname(os.path.abspath(file))) is not None:
        dispatcher._cache = _KernelCache(function)  # what njit(cache=True) does with numba's FunctionCache
        _tell('defined', function)
    return dispatcher


def _tell(event: str, function: Callable[..., Any]) -> None:
    for watcher in watchers:
        watcher(event, function.__name__)


class _Locator(_CacheLocator):
    """Tells numba where the cache files of a function are and what they depend on."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file = os.path.abspath(file)  # numba's warnings name it
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> '_Locator':
        return cls(py_func, py_file)

    def get_cache_path(self) -> Optional[str]:
        return _cache_folder(os.path.dirname(self._py_file))

    def get_source_stamp(self) -> str:
        return _source_stamp(self._py_file)

    def get_disambiguator(self) -> str:
        return str(self._line)


class _CacheFile(IndexDataCacheFile):
    """
    Numba's index and data files. Numba takes it that a data file is what the index says, which is not so where two
    processes, of the same sources or not, write at once; so here a data file also says what it is.
    """

    def __init__(self, cache_path: str, filename_base: str, source_stamp: str) -> None:
        super().__init__(cache_path, filename_base, source_stamp)
        # Compared before anything else is read; numba compares the stamp only after it has loaded the types.
        self._version = f'{numba_version} {source_stamp}'

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (self._version, key, data))

    def load(self, key: Any) -> Any:
        entry = None
        with contextlib.suppress(*_UNREADABLE):
            entry = super().load(key)
        return entry[2] if entry is not None and entry[:2] == (self._version, key) else None

    def _load_index(self) -> dict[Any, str]:
        with contextlib.suppress(*_UNREADABLE):
            return super()._load_index()
        return {}


class _KernelCache(FunctionCache):
    """Numba's cache of a function, by the stamp of all its sources; a disk that fails costs time, never the run."""
    _impl_class = type('_CacheImpl', (CompileResultCacheImpl, ), dict(_locator_classes=[_Locator]))

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)
        stamp = _source_stamp(os.path.abspath(py_func.__code__.co_filename))
        self._cache_file = _CacheFile(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        overload = None
        with contextlib.suppress(OSError):
            overload = super().load_overload(sig, target_context)
        _tell('begun' if overload is None else 'loaded', self._py_func)
        return overload

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as e:
            _log_once(f'compiled kernels cannot be kept ({e.strerror}); {_FIX}')
        _tell('ended', self._py_func)


@functools.cache
def _source_stamp(file: str) -> str:
    """
    Overview:
        Return the hash of a source file and of the files of this package that it imports, directly or not.
        A kernel names the types of its arguments, so the files with those types are among them. The files are read
        when the kernel is defined, not when it is compiled: what is compiled then is what was imported.
    """
    files, waiting = {file}, [file]
    while waiting:
        new = _read_source(waiting.pop())[1] - files
        files |= new
        waiting += new
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(os.path.relpath(name, os.path.dirname(file)).encode() + b'\0' + _read_source(name)[0])
    return total.hexdigest()


@functools.cache
def _read_source(file: str) -> tuple[bytes, frozenset[str]]:
    """Return the hash of a file and the files of this package that it imports."""
    with open(file, 'rb') as f:
        content = f.read()
    code = re.sub(r'#.*|\\\n', ' ', content.decode('utf-8', 'replace'))
    files = (found for match in _IMPORT.finditer(code) for found in _imported_files(file, *match.groups('')))
    return hashlib.sha256(content).digest(), frozenset(files)


def _imported_files(file: str, base: str, names: str, modules: str) -> Iterator[str]:
    """Yield what ``from base import names`` or ``import modules`` in ``file`` reads from this package."""
    if not base:
        found = [_module_file(_module_path(file, name)) for name in _first_words(modules)]
    else:
        path = _module_path(file, base)
        found = [_module_file(os.path.join(path, name)) or _module_file(path) for name in _first_words(names)]
    return (name for name in found if name is not None)


def _first_words(names: str) -> list[str]:
    """'(a, b as c)' -> ['a', 'b']"""
    return [name.split()[0] for name in names.strip('() \t\n').split(',') if name.strip()]


def _module_path(file: str, module: str) -> str:
    """Return the path, without ending, of a module as ``file`` names it."""
    name = module.lstrip('.')
    level = len(module) - len(name)
    parent = os.path.dirname(_PACKAGE)
    if level:
        parent = os.path.normpath(os.path.join(os.path.dirname(file), *['..'] * (level - 1)))
    return os.path.join(parent, *name.split('.'))


def _module_file(path: str) -> Optional[str]:
    """Return the source of a module or package of this package; None for anything else."""
    if path.startswith(_PACKAGE):
        for file in (f'{path}.py', os.path.join(path, '__init__.py')):
            if os.path.isfile(file):
                return file
    return None


@functools.cache
def _cache_folder(sources: str) -> Optional[str]:
    """Return the folder for the compiled kernels of a folder of sources; None where none can be written."""
    own = _Locator.get_suitable_cache_subpath(os.path.join(sources, '__init__.py'))
    user = AppDirs(appname='numba', appauthor=False).user_cache_dir
    folders = [os.path.join(config.CACHE_DIR, own)] if config.CACHE_DIR else []
    folders.append(os.path.join(sources, '__pycache__'))
    if os.path.isabs(user):  # '~/.cache' where the user has no home
        folders.append(os.path.join(user, own))
    for folder in folders:
        if _can_write(folder):
            return folder
    temporary = _temporary_folder()
    where = f'go to {temporary} for now' if temporary else 'are not kept'
    _log_once(f'no cache folder can be written, so compiled kernels {where}; {_FIX}')
    return temporary and os.path.join(temporary, own)


def _can_write(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return True
    except OSError:
        return False


@functools.cache
def _temporary_folder() -> Optional[str]:
    """
    Overview:
        Return a folder that nobody else can write, since code is loaded from it: the one of this user's other processes
        or, where someone else has put something in its place, a new one until the process ends.
    """
    try:
        folder = os.path.join(tempfile.gettempdir(), f'ding_qmix-numba-{os.geteuid()}')
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        if not (_is_private(folder) and _can_write(folder)):
            folder = tempfile.mkdtemp(prefix='ding_qmix-numba-')
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
    except OSError:
        return None
    return folder


def _is_private(folder: str) -> bool:
    """Return whether it is a folder, no link to one, that is ours and closed to all others."""
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


@functools.cache
def _log_once(message: str) -> None:
    logging.getLogger(__name__).warning(f'ding_qmix: {message}')  # Python's own handler shows nothing but the message
