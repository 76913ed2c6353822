"""The game loop: 16 of them make a game second, 8 one env step. Kernels over one battle."""
import numpy as np

from ding_qmix.sim.arsenal import ENERGY_MAX, ENERGY_REGEN, LOOPS_PER_STEP, Army
from ding_qmix.sim.combat import fly_missiles
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.movement import separate
from ding_qmix.sim.opponent import fight_on
from ding_qmix.sim.orders import give_order, obey
from ding_qmix.sim.rng import draw_below
from ding_qmix.sim.state import BACKSWING, HELP_WAIT, SPEED, STANCE, STEP_X, STEP_Y, STILL, WALKING, Battle
from ding_qmix.smac.kernel import kernel
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH


@kernel
def play_step(battle: Battle, army: Army, knobs: SimKnobs, actions: np.ndarray) -> None:
    """Give the allies their orders, int64 [N], and play one env step."""
    for u in range(army.n_agents):
        give_order(battle, army, u, actions[u])
    for _ in range(LOOPS_PER_STEP):
        play_loop(battle, army, knobs)


@kernel
def play_loop(battle: Battle, army: Army, knobs: SimKnobs) -> None:
    """Let every living unit act once in random order, then move missiles and part what overlaps."""
    n_alive = _draw_turn(battle)
    for k in range(n_alive):
        u = battle.turn[k]
        if battle.unit[HEALTH, u] > 0.:
            _act(battle, army, knobs, u)
    fly_missiles(battle, army)
    separate(battle, army, knobs, n_alive)


@kernel
def _draw_turn(battle: Battle) -> int:
    """Write the living units in random order into ``turn``; return how many there are."""
    turn, n_alive = battle.turn, 0
    for u in range(turn.shape[0]):
        if battle.unit[HEALTH, u] > 0.:
            turn[n_alive] = u
            n_alive += 1
    for last in range(n_alive - 1, 0, -1):
        k = draw_below(battle.rng, last + 1)
        turn[last], turn[k] = turn[k], turn[last]
    return n_alive


@kernel
def _act(battle: Battle, army: Army, knobs: SimKnobs, u: int) -> None:
    """Let one unit's clocks run for a loop, then let it act."""
    unit, body, mind, stats = battle.unit, battle.body, battle.mind, army.stats
    unit[COOLDOWN, u] = max(0., unit[COOLDOWN, u] - 1.)
    body[BACKSWING, u] = max(0., body[BACKSWING, u] - 1.)
    body[HELP_WAIT, u] = max(0., body[HELP_WAIT, u] - 1.)
    unit[ENERGY, u] = min(stats[ENERGY_MAX, u], unit[ENERGY, u] + stats[ENERGY_REGEN, u])
    body[STEP_X, u] = 0.
    body[STEP_Y, u] = 0.
    mind[STANCE, u] = STILL
    if u < army.n_agents:
        obey(battle, army, knobs, u)
    else:
        fight_on(battle, army, knobs, u)
    if mind[STANCE, u] != WALKING:
        body[SPEED, u] = 0.
