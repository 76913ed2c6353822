"""The same seed plays the same battle in another process."""
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv

N_STEPS = 60


def battle_digest(map_name: str) -> str:
    """Hash obs, state and rewards of a few battles of random legal actions."""
    env = SimVecEnv(map_name, 3, seed=7, n_threads=1)
    step, rng, digest = env.reset(), np.random.default_rng(0), hashlib.sha256()
    for _ in range(N_STEPS):
        step = env.step((rng.random(step.action_mask.shape) * step.action_mask).argmax(-1))
        for array in (step.obs, step.state, step.reward):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@pytest.mark.unittest
def test_another_process_plays_the_same_battles():
    maps = ('MMM', '2c_vs_64zg')
    code = f'from test_process import battle_digest; print(*[battle_digest(m) for m in {maps}])'
    here = Path(__file__).parent
    other = subprocess.run([sys.executable, '-c', code], cwd=here, capture_output=True, text=True, check=True)
    assert other.stdout.split() == [battle_digest(m) for m in maps]
