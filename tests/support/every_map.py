"""Play on any map, for tests over all of them: who acts how, and the battle as it was before its env began the next."""
from types import SimpleNamespace
from typing import Callable, Optional

import numpy as np
from reference.smac import Unit

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.loop import play_step
from ding_qmix.sim.state import N_FLOATS, N_INTS, Battle
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, UNIT_NAMES, X, Y
from ding_qmix.spec import VecStep


def random_actions(step: VecStep, rng: np.random.Generator, fierce: float = .5) -> np.ndarray:
    """Draw a legal action per agent, int64 [E, N]; with probability ``fierce`` one that attacks or heals, if any."""
    mask = step.action_mask
    aims = mask.copy()
    aims[:, :, :6] = False
    chosen = np.where((aims.any(2) & (rng.random(mask.shape[:2]) < fierce))[:, :, None], aims, mask)
    return (rng.random(mask.shape) * chosen).argmax(2)


def unit_records(env: SimVecEnv, battle: Optional[Battle] = None) -> list[Unit]:
    """Return the units of a battle, by default that of env 0, as records in the order of SMAC's numbers."""
    of = battle or SimpleNamespace(unit=env._state.unit[0], unit_at=env._state.unit_at[0])
    rows = of.unit[[X, Y, HEALTH, SHIELD, ENERGY, COOLDOWN]][:, of.unit_at].T.tolist()
    return [Unit(UNIT_NAMES[kind], *row) for kind, row in zip(env._params.rules.unit_type[of.unit_at], rows)]


def battle_after(env: SimVecEnv, e: int, actions: np.ndarray) -> Battle:
    """Return the battle of env e as it will be after these actions, int64 [N]; the env itself is left alone."""
    state, params = env._state, env._params
    n_units = state.unit.shape[2]
    battle = Battle(
        state.unit[e].copy(), state.unit_at[e].copy(), state.physical[e].copy(), state.decision[e].copy(),
        state.rng[e:e + 1].copy(), params.pathing.footing, params.pathing.route, np.zeros((N_FLOATS, n_units + 4)),
        np.zeros((N_INTS, n_units + 4), np.int32)
    )
    play_step(battle, params.tables, params.calibration, actions)
    return battle


def play(
        env: SimVecEnv,
        n_steps: int,
        seed: int = 0,
        first: Optional[VecStep] = None,
        check: Optional[Callable[[VecStep], None]] = None
) -> np.ndarray:
    """Play random steps, each env with its own generator; return what was shown in short, float64 [T, 4, E]."""
    rngs = [np.random.default_rng(seed + e) for e in range(env.n_envs)]
    step = env.reset() if first is None else first
    trace = []
    for _ in range(n_steps):
        rows = [VecStep(*(field[e:e + 1] for field in step)) for e in range(env.n_envs)]
        step = env.step(np.concatenate([random_actions(row, rng) for row, rng in zip(rows, rngs)]))
        trace.append([step.reward.copy(), step.obs.sum((1, 2)), step.state.sum(1), step.action_mask.sum((1, 2))])
        if check is not None:
            check(step)
    return np.array(trace, dtype=np.float64)
