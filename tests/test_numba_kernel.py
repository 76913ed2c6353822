"""Compiled kernels follow their sources, are kept where that can be done, and run where it cannot."""
import ast
import os
import pickle
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel_tree import KernelTree, finish

from ding_qmix import numba_kernel

_HOMELESS = dict(HOME='/dev/null/home')


@pytest.fixture
def tree(tmp_path: Path) -> KernelTree:
    return KernelTree(tmp_path).create()


@pytest.fixture(scope='module')
def once_run(tmp_path_factory: pytest.TempPathFactory) -> KernelTree:
    tree = KernelTree(tmp_path_factory.mktemp('once_run')).create()
    assert tree.run() == dict(result=21, hits=0, misses=1, log=[])
    return tree


@pytest.fixture
def compiled(once_run: KernelTree, tmp_path: Path) -> KernelTree:
    """A copy of a package that has run, with new times."""
    return KernelTree(Path(shutil.copytree(once_run.root, tmp_path / 'copy', copy_function=shutil.copyfile)))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob('*.nb?'))


@pytest.mark.unittest
def test_unchanged_sources_are_loaded(once_run: KernelTree) -> None:
    assert once_run.run() == dict(result=21, hits=1, misses=0, log=[])
    assert {path.parent.name for path in _files(once_run.root)} == {'__pycache__'}


@pytest.mark.unittest
def test_copy_of_the_same_sources_compiles_nothing(compiled: KernelTree) -> None:
    assert compiled.run() == dict(result=21, hits=1, misses=0, log=[])


@pytest.mark.unittest
@pytest.mark.parametrize(
    'file, old, new, result', [
        ('inner/callee.py', 'TEN * x', 'TEN - x', 9),
        ('inner/callee.py', 'NOTHING = 0', 'NOTHING = 5', 26),
        ('inner/__init__.py', 'TEN = 10', 'TEN = 30', 61),
        ('sizes.py', 'ONE = 1', 'ONE = 4', 24),
        ('outer.py', '+ ONE', '- ONE', 19),
        ('numba_kernel.py', 'no less exact', 'as exact also', 21),
    ]
)
def test_edited_source_is_compiled_anew(compiled: KernelTree, file: str, old: str, new: str, result: int) -> None:
    compiled.edit(file, old, new)
    assert compiled.run() == dict(result=result, hits=0, misses=1, log=[])


@pytest.mark.unittest
def test_edit_of_a_file_that_is_not_imported_compiles_nothing(compiled: KernelTree) -> None:
    compiled.edit('apart.py', '9', '8')
    assert compiled.run()['hits'] == 1


@pytest.mark.unittest
def test_cache_dir_of_the_environment_is_used(tree: KernelTree) -> None:
    folder = tree.root / 'chosen'
    assert tree.run(NUMBA_CACHE_DIR=str(folder))['misses'] == 1
    assert tree.run(NUMBA_CACHE_DIR=str(folder)) == dict(result=21, hits=1, misses=0, log=[])
    assert _files(folder) == _files(tree.root)


@pytest.mark.unittest
def test_users_cache_folder_is_used_where_sources_are_read_only(tree: KernelTree) -> None:
    tree.block()
    assert tree.run()['misses'] == 1
    assert tree.run() == dict(result=21, hits=1, misses=0, log=[])
    assert _files(tree.root / 'home') == _files(tree.root)


@pytest.mark.unittest
@pytest.mark.parametrize('home', ['/dev/null/home', '~'])
def test_temporary_folder_is_used_where_nothing_else_can_be_written(tree: KernelTree, home: str) -> None:
    tree.block()
    first, second = tree.run(HOME=home), tree.run(HOME=home)
    assert (first['result'], first['misses'], second['result'], second['hits']) == (21, 1, 21, 1)
    assert len(first['log']) == 1
    assert first['log'][0].startswith('ding_qmix: ') and 'NUMBA_CACHE_DIR' in first['log'][0]
    assert second['log'] == first['log']
    folder, = tree.tmp.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert _files(folder) == _files(tree.root)


def _plant_open(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def _plant_link(folder: Path) -> None:
    target = folder.parent.parent / 'target'
    target.mkdir(mode=0o700)
    folder.symlink_to(target)


def _plant_foreign(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    try:
        os.chown(folder, 12345, 12345)
    except PermissionError:
        pytest.skip('only root can give a folder to another user')


@pytest.mark.unittest
@pytest.mark.parametrize('plant', [_plant_open, _plant_link, _plant_foreign, Path.touch])
def test_temporary_folder_that_others_can_write_is_not_used(tree: KernelTree, plant: Any) -> None:
    tree.block()
    folder = tree.tmp / f'ding_qmix-numba-{os.geteuid()}'
    plant(folder)
    facts = tree.run(**_HOMELESS)
    assert (facts['result'], facts['misses'], len(facts['log'])) == (21, 1, 1)
    assert f'{folder} ' not in facts['log'][0]
    assert _files(tree.root) == [] and list(tree.tmp.iterdir()) == [folder]


@pytest.mark.unittest
def test_kernels_run_where_nothing_can_be_written(tree: KernelTree) -> None:
    tree.block()
    facts = tree.run(before='import tempfile; tempfile.tempdir = "/dev/null/tmp"', **_HOMELESS)
    assert (facts['result'], len(facts['log'])) == (21, 1)
    assert 'NUMBA_CACHE_DIR' in facts['log'][0]


@pytest.mark.unittest
def test_kernels_run_where_writing_fails_later(tree: KernelTree) -> None:
    begin = 'import os, ding_qmix.outer; os.rmdir("ding_qmix/__pycache__"); open("ding_qmix/__pycache__", "w").close()'
    facts = tree.run(before=begin)
    assert (facts['result'], facts['misses'], len(facts['log'])) == (21, 1, 1)
    assert 'NUMBA_CACHE_DIR' in facts['log'][0]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kind, content', [('nbi', b''), ('nbi', b'\0' * 64), ('nbc', pickle.dumps('other')[:-2])],
    ids=['empty index', 'index of zeros', 'half a data file']
)
def test_damaged_cache_is_compiled_anew(compiled: KernelTree, kind: str, content: bytes) -> None:
    for path in compiled.root.rglob(f'*.{kind}'):
        path.write_bytes(content)
    assert compiled.run() == dict(result=21, hits=0, misses=1, log=[])
    assert compiled.run() == dict(result=21, hits=1, misses=0, log=[])


@pytest.mark.unittest
def test_processes_at_once_disturb_nobody(tree: KernelTree) -> None:
    at_once = [finish(process)['result'] for process in [tree.start(argument) for argument in (2, 2.5, 2)]]
    afterwards = [tree.run(argument)['result'] for argument in (2, 2.5)]
    assert (at_once, afterwards) == ([21, 26., 21], [21, 26.])
    assert tree.run(2.5)['hits'] == 1


@pytest.mark.unittest
@pytest.mark.parametrize('stamp, key', [('new', 'int'), ('old', 'float')])
def test_data_of_another_process_is_not_taken(tmp_path: Path, stamp: str, key: str) -> None:
    """Both have found the same free name; the index is of the one, the data of the other."""
    mine = numba_kernel._CacheFile(str(tmp_path), 'run', 'old')
    mine.save('int', 'my code')
    index = (tmp_path / 'run.nbi').read_bytes()
    (tmp_path / 'run.nbi').unlink()
    numba_kernel._CacheFile(str(tmp_path), 'run', stamp).save(key, 'their code')
    (tmp_path / 'run.nbi').write_bytes(index)
    assert mine.load('int') is None
    mine.save('int', 'my code')
    assert mine.load('int') == 'my code'


@pytest.mark.unittest
def test_index_of_old_sources_is_not_unpickled(tmp_path: Path) -> None:
    numba_kernel._CacheFile(str(tmp_path), 'run', 'old').save('int', 'code')
    path = tmp_path / 'run.nbi'
    version = pickle.dumps(numba_kernel._CacheFile(str(tmp_path), 'run', 'old')._version, protocol=-1)
    assert path.read_bytes().startswith(version)
    path.write_bytes(version + b'cno_such_module\nno_such_type\n.')
    assert numba_kernel._CacheFile(str(tmp_path), 'run', 'new').load('int') is None
    assert numba_kernel._CacheFile(str(tmp_path), 'run', 'old').load('int') is None


@pytest.mark.unittest
def test_kernels_are_plain_python_without_jit(tree: KernelTree) -> None:
    assert tree.run(NUMBA_DISABLE_JIT='1') == dict(result=21, log=[])
    assert _files(tree.root) == []


@pytest.mark.unittest
def test_every_decorator_compiles_and_caches(tree: KernelTree) -> None:
    from_kernels = ('inner_kernel', 'inline_kernel', 'fast_inline_kernel', 'fast_sum_kernel')
    from_python = ('kernel', 'outer_kernel', 'fast_kernel')
    lines = ['import numpy as np', 'from ding_qmix.numba_kernel import *']
    lines += [f'@{name}\ndef {name}_sum(x): return x.sum()' for name in (*from_kernels, *from_python)]
    calls = ' + '.join(f'{name}_sum(x)' for name in (*from_kernels, *from_python))
    lines += ['@allocating_kernel', f'def run(n):\n    x = np.ones(n)\n    return {calls}']
    (tree.package / 'outer.py').write_text('\n'.join(lines), 'utf-8')
    assert tree.run(3) == dict(result=21., hits=0, misses=1, log=[])
    assert tree.run(3) == dict(result=21., hits=1, misses=0, log=[])


def _parsed_imports(root: Path, path: Path) -> Iterator[Path]:
    """The files of the package that a file imports, by Python's parser."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if isinstance(node, ast.Import):
            modules = [(alias.name, '') for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package[:len(package) - node.level + 1] if node.level else ()
            modules = [('.'.join([*parents, *filter(None, [node.module])]), alias.name) for alias in node.names]
        else:
            continue
        for base, name in modules:
            folder = root.joinpath(*base.split('.'))
            candidates = [folder / name] * bool(name) + [folder]
            files = [file for c in candidates for file in (c.with_suffix('.py'), c / '__init__.py') if file.exists()]
            yield from (file for file in files[:1] if root / 'ding_qmix' in file.parents)


@pytest.mark.unittest
def test_imports_are_found_as_the_parser_finds_them() -> None:
    package = Path(numba_kernel.__file__).parent  # may be installed
    for path in sorted(package.rglob('*.py')):
        found = numba_kernel._read_source(str(path))[1]
        assert found == {str(file) for file in _parsed_imports(package.parent, path)}, path


@pytest.mark.unittest
def test_no_other_module_compiles(repo: Path) -> None:
    """Numba's own cache neither follows callees nor does without a folder that can be written."""
    others = [path for path in (repo / 'ding_qmix').rglob('*.py') if path.name != 'numba_kernel.py']
    assert [str(path) for path in others if re.search(r'\bn?jit\(|@n?jit\b', path.read_text('utf-8'))] == []
