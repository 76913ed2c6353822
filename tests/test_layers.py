"""Imports point down the layers, never up, sideways or in a circle; the lowest know neither torch nor DI-engine."""
import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Optional, Union

import pytest

# Each package or module may import from the layers below its own, and from itself.
LAYERS = (
    ('spec', ),
    ('run_state', 'utils', 'numba_kernel'),
    ('schema', ),
    ('smac', 'hyper_parameters'),
    ('config_check', ),
    ('model', 'rl_utils', 'config', 'terminal'),
    ('fast_cpu', 'ding_compat', 'sim', 'starcraft2'),
    ('policy', 'replay', 'render', 'baselines'),
    ('worker', 'envs'),
    ('entry', 'dizoo_configs', ''),  # '' is the package itself, which registers what is below
)
LAYER = {package: i for i, packages in enumerate(LAYERS) for package in packages}
TOPS = ('ding_qmix', 'dizoo_configs', 'entry')
NO_TORCH = ('spec', 'schema', 'smac', 'sim', 'starcraft2')
NO_DING = (*NO_TORCH, 'numba_kernel', 'model', 'rl_utils', 'render', 'baselines')


@dataclass(frozen=True)
class Import:
    """A name that a line of a file imports: 'ding_qmix.sim.rng.draw' or, as a whole, 'ding_qmix.sim.rng'."""
    path: Path  # of the importing file, relative to the root
    line: int
    name: str
    for_types: bool  # below TYPE_CHECKING
    in_function: bool

    @property
    def importer(self) -> str:
        return '.'.join(self.path.with_suffix('').parts).replace('.__init__', '')

    @property
    def is_ours(self) -> bool:
        return self.name.split('.')[0] in TOPS


def find_violations(root: Path) -> list[str]:
    """Return one line per file or import below ``root`` that breaks a rule, and one per circle of imports."""
    paths = [path.relative_to(root) for top in TOPS for path in sorted((root / top).rglob('*.py'))]
    imports = [found for path in paths for found in _imports(root, path)]
    homeless = [
        f'{path}: {package!r} is in no layer; give it one here and in the design' for path in paths
        if (package := _package('.'.join(path.with_suffix('').parts))) not in LAYER
    ]
    return homeless + [line for found in imports for line in _broken_rules(found)] + _circles(root, imports)


def _broken_rules(found: Import) -> Iterator[str]:
    where, package, top = f'{found.path}:{found.line}', _package(found.importer), found.name.split('.')[0]
    if not found.for_types:
        if (top == 'torch' and package in NO_TORCH) or (top in ('ding', 'dizoo') and package in NO_DING):
            yield f'{where}: {package} must not import {found.name}'
    if found.is_ours and package in LAYER:
        target = _package(found.name)
        if target != package and LAYER.get(target, len(LAYERS)) >= LAYER[package]:
            yield f'{where}: {package} must not import {found.name}, which is not below it'


def _circles(root: Path, imports: list[Import]) -> list[str]:
    """Circles of modules that import each other when they are imported, and of packages that import each other."""
    modules: dict[str, set[str]] = {}
    packages: dict[str, set[str]] = {}
    for found in imports:
        module, package = _module(root, found.name), _package(found.importer)
        if module not in (None, found.importer) and not found.in_function:
            modules.setdefault(found.importer, set()).add(module)
        if found.is_ours and _package(found.name) != package:
            packages.setdefault(package, set()).add(_package(found.name))
    return [
        f'circle of {kind}: {circle}' for kind, graph in (('modules', modules), ('packages', packages))
        for circle in _circles_of(graph)
    ]


def _circles_of(graph: dict[str, set[str]]) -> Iterator[str]:
    """Yield a circle, take it out of the graph, and so on."""
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as e:
            circle = e.args[1][::-1]  # each imports the next
            yield ' -> '.join(circle)
            graph[circle[0]].remove(circle[1])
        else:
            return


def _package(name: str) -> str:
    """'ding_qmix.smac.units' -> 'smac'; 'ding_qmix.__init__' -> ''"""
    parts = name.split('.')
    if parts[0] != 'ding_qmix':
        return parts[0]
    return parts[1] if len(parts) > 1 and parts[1] != '__init__' else ''


def _module(root: Path, name: str) -> Optional[str]:
    """Return the module of ours that is a name or that has it; None for others' modules."""
    parts = name.split('.') if name.split('.')[0] in TOPS else []
    while parts:
        path = root.joinpath(*parts)
        if path.with_suffix('.py').is_file() or (path / '__init__.py').is_file():
            return '.'.join(parts)
        parts.pop()
    return None


def _imports(root: Path, path: Path) -> Iterator[Import]:
    """All imports of a file, at any depth."""
    yield from _imports_below(root, ast.parse((root / path).read_text('utf-8')), Import(path, 0, '', False, False))


def _imports_below(root: Path, node: ast.AST, at: Import) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield from (replace(at, line=child.lineno, name=name) for name in _names(root, at.path, child))
        elif isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(child.test):
            yield from _imports_below(root, ast.Module(child.body, []), replace(at, for_types=True))
            yield from _imports_below(root, ast.Module(child.orelse, []), at)
        else:
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _imports_below(root, child, replace(at, in_function=True) if is_function else at)


def _names(root: Path, path: Path, node: Union[ast.Import, ast.ImportFrom]) -> list[str]:
    """``from ding_qmix import envs`` names a package only by what it imports, so every name counts as a module."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        parents = list(path.parent.parts)[:len(path.parent.parts) - node.level + 1] if node.level else []
        base = '.'.join([*parents, *([node.module] if node.module else [])])
        names = [f'{base}.{alias.name}' for alias in node.names]
    # A script finds the files of its own folder by their bare names.
    is_script = path.parts[0] == 'entry'
    here = '.'.join(path.parent.parts)
    return [
        f'{here}.{n}' if is_script and (root / path.parent / f'{n.split(".")[0]}.py').is_file() else n for n in names
    ]


def _plant(root: Path, sources: dict[str, str]) -> list[str]:
    """Violations of a tree with these files."""
    for file, source in sources.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, 'utf-8')
    return find_violations(root)


@pytest.mark.unittest
def test_imports_point_down(repo: Path) -> None:
    assert find_violations(repo) == []


@pytest.mark.unittest
@pytest.mark.parametrize(
    'file, source', [
        ('ding_qmix/smac/a.py', 'from ding_qmix.sim.step import b'),
        ('ding_qmix/smac/a.py', 'from ding_qmix import sim'),
        ('ding_qmix/smac/a.py', 'import ding_qmix.sim.step'),
        ('ding_qmix/smac/a.py', 'from ..sim import step'),
        ('ding_qmix/smac/a.py', 'def f():\n    from ding_qmix.config import b'),
        ('ding_qmix/policy/a.py', 'from ding_qmix.envs import make_vec_env'),
        ('ding_qmix/policy/a.py', 'from ding_qmix.worker import b'),
        ('ding_qmix/policy/a.py', 'from ding_qmix.replay import b'),
        ('ding_qmix/worker/a.py', 'if TYPE_CHECKING:\n    from ding_qmix.envs import b'),
        ('ding_qmix/model/a.py', 'from ding_qmix.ding_compat import b'),
        ('ding_qmix/fast_cpu/a.py', 'from ding_qmix.policy.flat import b'),
        ('ding_qmix/utils/a.py', 'from ding_qmix import __version__'),
        ('ding_qmix/utils/a.py', 'from ding_qmix.numba_kernel import kernel'),
        ('ding_qmix/sim/a.py', 'import torch.nn as nn'),
        ('ding_qmix/starcraft2/a.py', 'class A:\n    import torch'),
        ('ding_qmix/spec.py', 'try:\n    from ding.utils import b\nexcept ImportError:\n    pass'),
        ('ding_qmix/smac/scenarios.py', 'from torch import Tensor'),
        ('ding_qmix/model/a.py', 'from ding.torch_utils import b'),
        ('ding_qmix/rl_utils/a.py', 'def f():\n    import ding'),
        ('ding_qmix/render/a.py', 'import ding.envs'),
        ('ding_qmix/envs/a.py', 'from entry.train import main'),
        ('dizoo_configs/a.py', 'from entry import train'),
        ('ding_qmix/attic/a.py', ''),
    ]
)
def test_layers_planted_violation_is_caught(tmp_path: Path, file: str, source: str) -> None:
    assert len(_plant(tmp_path, {file: source})) == 1


@pytest.mark.unittest
@pytest.mark.parametrize(
    'sources', [
        {
            'ding_qmix/sim/a.py': 'from ding_qmix.sim import b',
            'ding_qmix/sim/b.py': 'import ding_qmix.sim.a'
        },
        {
            'ding_qmix/sim/a.py': 'from . import b',
            'ding_qmix/sim/b.py': 'from .a import f'
        },
        {
            'ding_qmix/sim/a.py': 'from .b import f',
            'ding_qmix/sim/b.py': 'if TYPE_CHECKING:\n    from .a import F'
        },
        {
            'ding_qmix/sim/a.py': 'from .b import f',
            'ding_qmix/sim/b.py': 'from .c import f',
            'ding_qmix/sim/c.py': 'try:\n    from .a import f\nexcept ImportError:\n    pass'
        },
        {
            'ding_qmix/sim/__init__.py': 'from .a import F',
            'ding_qmix/sim/a.py': 'from ding_qmix.sim import F'
        },
        {
            'entry/tools/a.py': 'from b import f',
            'entry/tools/b.py': 'import a'
        },
    ]
)
def test_layers_planted_circle_of_modules_is_caught(tmp_path: Path, sources: dict[str, str]) -> None:
    violation, = _plant(tmp_path, sources)
    assert violation.startswith('circle of modules: ') and violation.count(' -> ') == len(sources)


@pytest.mark.unittest
def test_layers_planted_circle_of_packages_is_caught(tmp_path: Path) -> None:
    up = 'def f():\n    from ding_qmix.sim import b'
    violations = _plant(tmp_path, {'ding_qmix/sim/a.py': 'from ding_qmix.smac import b', 'ding_qmix/smac/c.py': up})
    assert [line.split(':')[0] for line in violations] == ['ding_qmix/smac/c.py', 'circle of packages']


@pytest.mark.unittest
def test_layers_every_circle_is_caught(tmp_path: Path) -> None:
    sources = {f'ding_qmix/{p}/{a}.py': f'from .{b} import f' for p in ('sim', 'smac') for a, b in ('ab', 'ba')}
    assert len(_plant(tmp_path, sources)) == 2


@pytest.mark.unittest
@pytest.mark.parametrize(
    'file, source', [
        ('ding_qmix/sim/a.py', 'from ding_qmix.smac.units import b\nfrom ding_qmix.sim import rng\nimport numpy'),
        ('ding_qmix/sim/a.py', 'from ding_qmix.numba_kernel import kernel\nfrom ding_qmix.sim import rng'),
        ('ding_qmix/spec.py', 'if TYPE_CHECKING:\n    from torch import Tensor'),
        ('ding_qmix/envs/a.py', 'from . import b\nfrom ..spec import VecEnv\nimport ding.envs'),
        ('ding_qmix/fast_cpu/a.py', 'import torch\nfrom ding_qmix.model import QMix'),
        ('ding_qmix/__init__.py', 'from ding_qmix import envs, model\nfrom ding_qmix.utils.a import b'),
        ('entry/a.py', 'from ding_qmix.worker import b\nfrom ding_qmix.config import c'),
    ]
)
def test_layers_allowed_import_passes(tmp_path: Path, file: str, source: str) -> None:
    assert _plant(tmp_path, {file: source}) == []


@pytest.mark.unittest
def test_layers_late_import_of_a_module_is_no_circle(tmp_path: Path) -> None:
    late = 'def f():\n    from ding_qmix.sim import a'
    assert _plant(tmp_path, {'ding_qmix/sim/a.py': 'from ding_qmix.sim import b', 'ding_qmix/sim/b.py': late}) == []
