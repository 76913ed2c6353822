"""Importing the package: what it registers, and that nobody notices."""
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Run in a fresh interpreter: notes what the import changed. The game's packages count as missing, the GPU as hidden.
_PROBE = '''
import json, logging, os, sys, warnings
os.environ["CUDA_VISIBLE_DEVICES"] = ""
for name in ("pysc2", "s2clientprotocol", "smac"):
    sys.modules[name] = None
warnings.filterwarnings("error", category=ResourceWarning)
logging.getLogger().setLevel(logging.ERROR)
logging.getLogger().addHandler(logging.NullHandler())
root = logging.getLogger()
before = [list(warnings.filters), list(root.handlers), root.level, list(root.filters)]
import ding_qmix
after = [list(warnings.filters), list(root.handlers), root.level, list(root.filters)]
import gym_notices.notices
from ding.utils import registries
facts = dict(
    untouched=[b == a for b, a in zip(before, after)],
    notices=len(gym_notices.notices.notices),
    version=ding_qmix.__version__,
    registered={kind: list(registry) for kind, registry in registries.items()},
    modules=[name for name in sys.modules if name.startswith("ding_qmix.")],
)
print(json.dumps(facts))
'''


def _python(*args: str, cwd: Path) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run([sys.executable, *args], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope='module')
def facts(repo: Path) -> dict[str, Any]:
    """What _PROBE found."""
    done = _python('-c', _PROBE, cwd=repo)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.unittest
def test_import_prints_nothing(repo: Path) -> None:
    done = _python('-W', 'default', '-c', 'import ding_qmix', cwd=repo)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


@pytest.mark.unittest
def test_import_lets_other_messages_through(repo: Path) -> None:
    code = (
        'import logging, warnings\n'
        'from ding_qmix.utils.quiet_import import quiet_import\n'
        'with quiet_import():\n'
        '    logging.warning("a log line"); warnings.warn("a warning")\n'
    )
    done = _python('-W', 'default', '-c', code, cwd=repo)
    assert 'a log line' in done.stderr and 'UserWarning: a warning' in done.stderr


@pytest.mark.unittest
@pytest.mark.parametrize('what, position', [('warnings filters', 0), ('handlers', 1), ('level', 2), ('log filters', 3)])
def test_import_leaves_users_settings(facts: dict[str, Any], what: str, position: int) -> None:
    assert facts['untouched'][position], what


@pytest.mark.unittest
def test_import_puts_gym_notices_back(facts: dict[str, Any]) -> None:
    assert facts['notices'] > 0


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kind, name', [
        ('policy', 'ding_qmix'), ('policy', 'ding_qmix_command'), ('model', 'ding_qmix'),
        ('model', 'ding_discrete_maqac'), ('env', 'ding_smac'), ('env_manager', 'ding_smac_vector'),
        ('serial_collector', 'ding_qmix_vector'), ('buffer', 'ding_qmix_episode'),
        ('serial_evaluator', 'ding_qmix_win_rate')
    ]
)
def test_import_registers_name(facts: dict[str, Any], kind: str, name: str) -> None:
    assert name in facts['registered'][kind]


@pytest.mark.unittest
def test_import_leaves_the_real_game_alone(facts: dict[str, Any]) -> None:
    game = {'websocket', 'pysc2', 's2clientprotocol', 'smac'}  # what the backends of the real game need at use
    assert not [name for name in facts['modules'] if name.split('.')[0] in game]


@pytest.mark.unittest
def test_version_is_single_sourced(facts: dict[str, Any], repo: Path) -> None:
    source = (repo / 'ding_qmix' / '__init__.py').read_text('utf-8')
    assert re.findall(r"^__version__ = '(.+)'$", source, re.M) == [facts['version']]


@pytest.mark.unittest
def test_every_folder_of_sources_is_packaged(repo: Path) -> None:
    folders = {path.parent for top in ('ding_qmix', 'dizoo_configs') for path in (repo / top).rglob('*.py')}
    assert [str(folder) for folder in sorted(folders) if not (folder / '__init__.py').exists()] == []
