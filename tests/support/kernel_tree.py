"""A small package with kernels in several files, which tests edit and run in processes of their own."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ding_qmix import numba_kernel

# A package of the same name with the same module numba_kernel; `outer.run` returns 10 * x + 1.
_SOURCES = {
    '__init__.py': '',
    'outer.py': '''
from ding_qmix.inner import callee
from ding_qmix.inner.callee import scale
from ding_qmix.numba_kernel import kernel
from ding_qmix.sizes import (
    ONE,  # (added)
)

@kernel
def run(x):
    return scale(x) + ONE + callee.NOTHING
''',
    'sizes.py': 'ONE = 1\n',
    'inner/__init__.py': 'TEN = 10\n',
    'inner/callee.py': '''
from ..numba_kernel import inline_kernel
from . import TEN

NOTHING = 0

@inline_kernel
def scale(x):
    return TEN * x
''',
    'apart.py': 'NINE = 9\n',
}
_RUN = '''
import json
from ding_qmix.outer import run
facts = dict(result=run({argument}))
if hasattr(run, 'stats'):
    facts.update(hits=sum(run.stats.cache_hits.values()), misses=sum(run.stats.cache_misses.values()))
print(json.dumps(facts))
'''


class KernelTree:
    """The package in a folder of its own; every run is a new process."""

    def __init__(self, root: Path) -> None:
        self.root, self.package, self.tmp = root, root / 'ding_qmix', root / 'tmp'

    def create(self) -> 'KernelTree':
        for name, source in _SOURCES.items():
            (self.package / name).parent.mkdir(parents=True, exist_ok=True)
            (self.package / name).write_text(source, 'utf-8')
        shutil.copy(numba_kernel.__file__, self.package)
        self.tmp.mkdir()
        return self

    def start(self, argument: Any = 2, before: str = '', **variables: str) -> 'subprocess.Popen[str]':
        unset = ('NUMBA_CACHE_DIR', 'NUMBA_DISABLE_JIT', 'XDG_CACHE_HOME')
        env = {name: value for name, value in os.environ.items() if name not in unset}
        # Python's own cache takes two edits of one size within a second for one.
        env.update(dict(PYTHONDONTWRITEBYTECODE='1', TMPDIR=str(self.tmp), HOME=str(self.root / 'home')), **variables)
        return subprocess.Popen(
            [sys.executable, '-c', before + _RUN.format(argument=argument)],
            cwd=self.root,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE
        )

    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        return finish(self.start(*args, **options))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a string by one as long, so that neither size nor time of the file tells."""
        path = self.package / file
        times, source = path.stat(), path.read_text('utf-8')
        assert old in source and len(old) == len(new)
        path.write_text(source.replace(old, new), 'utf-8')
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def block(self) -> None:
        """No cache beside the sources, whoever we are: a file is in the way."""
        for folder in (self.package, self.package / 'inner'):
            (folder / '__pycache__').write_text('')


def finish(process: 'subprocess.Popen[str]') -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return dict(json.loads(out), log=err.splitlines())
