"""Imports point down the layers, never up or sideways; the lowest layers know neither torch nor DI-engine."""
import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# Each room may import from the rooms of a lower floor, and from itself.
FLOORS = (
    ('spec', ),
    ('scenarios', 'terrain'),
    ('smac', 'config', 'utils'),
    ('model', 'rl_utils', 'sim', 'starcraft2', 'host_config'),
    ('worker', 'policy', 'envs'),
    ('entry', 'dizoo_configs', ''),  # '' is the package itself, which registers what is below
)
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
NO_TORCH_NO_DING = ('spec', 'scenarios', 'terrain', 'smac', 'sim')


def find_violations(root: Path) -> list[str]:
    """Return one line per import in the sources below ``root`` that breaks a rule."""
    files = [p for top in ('ding_qmix', 'dizoo_configs', 'entry') for p in sorted((root / top).rglob('*.py'))]
    return [line for path in files for line in _violations_of(path.relative_to(root), path.read_text('utf-8'))]


def _violations_of(path: Path, source: str) -> Iterator[str]:
    room = _room(path.with_suffix('').parts)
    if room not in FLOOR:
        yield f'{path}: room {room!r} stands on no floor; give it one here and in the design'
        return
    for lineno, module, typing_only in _imports(path, ast.parse(source)):
        parts = tuple(module.split('.'))
        if parts[0] in ('torch', 'ding', 'dizoo') and room in NO_TORCH_NO_DING and not typing_only:
            yield f'{path}:{lineno}: {room} must not import {module}'
        if parts[0] in ('ding_qmix', 'dizoo_configs', 'entry'):
            target = _room(parts)
            if target != room and FLOOR.get(target, len(FLOORS)) >= FLOOR[room]:
                yield f'{path}:{lineno}: {room} must not import {module}, which is not below it'


def _room(parts: tuple[str, ...]) -> str:
    """('ding_qmix', 'smac', 'units') -> 'smac'; ('ding_qmix', '__init__') -> ''"""
    if parts[0] != 'ding_qmix':
        return parts[0]
    return parts[1] if len(parts) > 1 and parts[1] != '__init__' else ''


def _imports(path: Path, tree: ast.AST, typing_only: bool = False) -> Iterator[tuple[int, str, bool]]:
    """All imports at any depth: (line, module, is it for annotations only)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, module, typing_only) for module in _from_modules(path, node))
        elif isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test):
            for child in node.body:
                yield from _imports(path, ast.Module([child], []), typing_only=True)
            for child in node.orelse:
                yield from _imports(path, ast.Module([child], []), typing_only)
        else:
            yield from _imports(path, node, typing_only)


def _from_modules(path: Path, node: ast.ImportFrom) -> list[str]:
    """``from ding_qmix import envs`` names a room only by what it imports, so every name counts as a module."""
    package = list(path.parent.parts)[:len(path.parent.parts) - node.level + 1] if node.level else []
    base = '.'.join([*package, *([node.module] if node.module else [])])
    return [f'{base}.{alias.name}' for alias in node.names]


def _plant(root: Path, file: str, source: str) -> list[str]:
    """Violations of a tree with one file."""
    path = root / file
    path.parent.mkdir(parents=True)
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
        ('ding_qmix/worker/a.py', 'from ding_qmix.policy import b'),
        ('ding_qmix/worker/a.py', 'if TYPE_CHECKING:\n    from ding_qmix.envs import b'),
        ('ding_qmix/utils/a.py', 'from ding_qmix import __version__'),
        ('ding_qmix/sim/a.py', 'import torch.nn as nn'),
        ('ding_qmix/spec.py', 'try:\n    from ding.utils import b\nexcept ImportError:\n    pass'),
        ('ding_qmix/smac/scenarios.py', 'from torch import Tensor'),
        ('ding_qmix/envs/a.py', 'from entry.train import main'),
        ('dizoo_configs/a.py', 'from entry import train'),
        ('ding_qmix/attic/a.py', ''),
    ]
)
def test_layers_planted_violation_is_caught(tmp_path: Path, file: str, source: str) -> None:
    assert len(_plant(tmp_path, file, source)) == 1


@pytest.mark.unittest
@pytest.mark.parametrize(
    'file, source', [
        ('ding_qmix/sim/a.py', 'from ding_qmix.smac.units import b\nfrom ding_qmix.sim import rng\nimport numpy'),
        ('ding_qmix/spec.py', 'if TYPE_CHECKING:\n    from torch import Tensor'),
        ('ding_qmix/envs/a.py', 'from . import b\nfrom ..spec import VecEnv\nimport ding.envs'),
        ('ding_qmix/__init__.py', 'from ding_qmix import envs, model\nfrom ding_qmix.utils.a import b'),
        ('entry/a.py', 'from ding_qmix.worker import b\nfrom ding_qmix.config import c'),
    ]
)
def test_layers_allowed_import_passes(tmp_path: Path, file: str, source: str) -> None:
    assert _plant(tmp_path, file, source) == []
