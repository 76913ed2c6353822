"""Training under a user id without a name."""
import getpass
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ding_qmix.utils.user_name import ensure_user_name

_VARIABLES = ('LOGNAME', 'USER', 'LNAME', 'USERNAME')  # what Python looks at first
_MAKE_OPTIMIZER = '''
import pwd
def getpwuid(uid): raise KeyError(uid)
pwd.getpwuid = getpwuid
import torch
from easydict import EasyDict
from ding_qmix.policy.optimizer import make_optimizer
make_optimizer(EasyDict(optimizer='{name}', learning_rate=0.1, weight_decay=0.), torch.zeros(3))
'''


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _VARIABLES:
        monkeypatch.setenv(variable, 'x')  # so that what the test sets is taken back
        monkeypatch.delenv(variable)

    def getpwuid(uid: int) -> Any:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, 'getpwuid', getpwuid)


@pytest.mark.unittest
def test_user_without_a_name_gets_one(nameless: None) -> None:
    ensure_user_name()
    assert getpass.getuser() == str(os.getuid())


@pytest.mark.unittest
def test_user_with_a_name_keeps_it(nameless: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('LOGNAME', 'someone')
    ensure_user_name()
    assert getpass.getuser() == 'someone' and 'USER' not in os.environ


@pytest.mark.unittest
@pytest.mark.parametrize('name', ['rmsprop', 'adam'])
def test_optimizer_is_made_for_a_user_without_a_name(repo: Path, name: str) -> None:
    env = {variable: value for variable, value in os.environ.items() if variable not in _VARIABLES}
    done = subprocess.run(
        [sys.executable, '-c', _MAKE_OPTIMIZER.format(name=name)],
        cwd=repo,
        env=env,
        capture_output=True,
        text=True,
        timeout=120
    )
    assert done.returncode == 0, done.stderr
