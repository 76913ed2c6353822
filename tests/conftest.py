"""Shared by all tests: a battlefield whose battles end as scripted, the repository's root, and its entries."""
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Optional

import numpy as np
import pytest

from ding_qmix.envs import backends
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.spec import UnitSnapshot, VecStep

# How the episodes of an env end, one after another: (kind, length in env steps, dead allies, dead enemies); of kind
# 'lost' is one that the env breaks in.
SCRIPT = (('win', 3, 1, 3), ('loss', 2, 3, 1), ('draw', 2, 3, 3), ('timeout', 4, 0, 1))


class ScriptedVecEnv:
    """
    A VecEnv of the map's shapes without a battle. Every number it shows is ``100 * seed + 10 * episode + step``, the
    final ones too; action 0 is illegal. Reward is 1 per step. Episodes of an env end as SCRIPT says, over and over.
    """
    script: tuple[tuple[str, int, int, int], ...] = SCRIPT

    def __init__(self, map_name: str, n_envs: int, seed: int = 0, obs_style: str = 'ding', **options: Any) -> None:
        self.spec, self.n_envs = make_spec(map_name, obs_style), n_envs
        self.seeds = seed + np.arange(n_envs)
        self.episode = np.full(n_envs, -1)
        self.steps = np.zeros(n_envs, int)
        self.score = np.zeros((3, n_envs), int)  # dead allies, dead enemies, length of what is shown
        self.n_resets = np.zeros(n_envs, int)
        self.closed = 0

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        ids = np.arange(self.n_envs) if env_ids is None else env_ids
        self._begin(ids)
        self.score[:, ids] = 0
        self.n_resets[ids] += 1
        return self._show(self._number())

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        active = np.ones(self.n_envs, bool) if active is None else active
        self.steps += active
        ends = [self.script[k % len(self.script)] for k in self.episode]
        done = active & (self.steps >= [end[1] for end in ends])
        score = np.array([[end[2] for end in ends], [end[3] for end in ends], self.steps])
        self.score[:, active] = score[:, active]
        final = self._number()
        self._begin(np.flatnonzero(done))
        kind = np.array([end[0] for end in ends])
        lost = done & (kind == 'lost')
        self.score[:, lost] = 0
        self.shown = self._show(final)._replace(
            reward=(active & ~lost).astype(np.float32),
            terminated=done & (kind != 'timeout') & ~lost,
            lost=lost,
            truncated=done & (kind == 'timeout'),
            won=done & (kind == 'win'),
        )
        return self.shown

    def observe(self) -> VecStep:
        return self.shown

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        ids = np.arange(self.n_envs) if env_ids is None else env_ids
        self.seeds[ids], self.episode[ids] = seeds, -1

    def units(self) -> UnitSnapshot:
        n_units = self.spec.n_agents + self.spec.n_enemies
        return UnitSnapshot(*np.zeros((len(UnitSnapshot._fields), self.n_envs, n_units), int))

    final_units = units

    def lost_cause(self, env_id: int) -> str:
        return f'the game of env {env_id} died'

    def state_dict(self) -> dict:
        return {name: getattr(self, name).tolist() for name in ('seeds', 'episode', 'steps')}

    def load_state_dict(self, state_dict: dict) -> None:
        for name, value in state_dict.items():
            getattr(self, name)[:] = value
        self.score[:2], self.score[2] = 0, self.steps
        self._show(self._number())

    def close(self) -> None:
        self.closed += 1

    def _begin(self, ids: np.ndarray) -> None:
        self.episode[ids] += 1
        self.steps[ids] = 0

    def _number(self) -> np.ndarray:
        return 100 * self.seeds + 10 * self.episode + self.steps

    def _show(self, final: np.ndarray) -> VecStep:
        spec, nothing = self.spec, np.zeros(self.n_envs, bool)
        mask = np.ones((self.n_envs, spec.n_agents, spec.n_actions), bool)
        mask[:, :, 0] = False
        rows = [
            np.broadcast_to(n.reshape(-1, *[1] * len(shape)), (self.n_envs, *shape)).astype(np.float32)
            for n in (self._number(), final) for shape in ((spec.n_agents, spec.obs_dim), (spec.state_dim, ))
        ]
        dead, length = self.score[:2].astype(np.int32), self.score[2].astype(np.int64)
        self.shown = VecStep(
            rows[0], rows[1], mask, np.zeros(self.n_envs, np.float32), nothing, nothing, nothing, nothing, *dead,
            length, length.astype(np.float64), rows[2], rows[3], mask
        )
        return self.shown


class LosingVecEnv(ScriptedVecEnv):
    """A ScriptedVecEnv that loses every second episode in its third step."""
    script = (('win', 3, 1, 3), ('lost', 3, 0, 0))


def _replace_sim(monkeypatch: pytest.MonkeyPatch, env_type: type[ScriptedVecEnv]) -> None:
    sim = backends._BACKENDS['sim']
    monkeypatch.setitem(backends._BACKENDS, 'sim', sim._replace(build=env_type))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backend 'sim' becomes the ScriptedVecEnv."""
    _replace_sim(monkeypatch, ScriptedVecEnv)


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backend 'sim' becomes a ScriptedVecEnv whose every second episode is lost in its third step."""
    _replace_sim(monkeypatch, LosingVecEnv)


@pytest.fixture(scope='session')
def repo() -> Path:
    """Root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def load(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load a file of the folder entry as a module, such as 'plot' or 'benchmark/sim'."""

    def load_entry(name: str) -> ModuleType:
        path = repo / 'entry' / f'{name}.py'
        monkeypatch.syspath_prepend(str(path.parent))  # as for a script, which imports its parts from its own folder
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_entry
