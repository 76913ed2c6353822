"""How long battles last and what they come to when the allies stand still, or act at random."""
from typing import Any

from calibration_figures import Figure, estimate, real_estimate
from calibration_traces import STAND_STILL, MakeEnv, record_trace

from ding_qmix.smac.scenarios import SCENARIOS


def stand_still_figures(make_env: MakeEnv, n_envs: int, seed: int, targets: dict[str, Any]) -> list[Figure]:
    """Return the length of battles in which every ally stops, by map of ``targets['figures']``."""
    return _battle_figures('standing still', STAND_STILL, make_env, n_envs, seed, targets)


def random_play_figures(make_env: MakeEnv, n_envs: int, seed: int, targets: dict[str, Any]) -> list[Figure]:
    """Return return, length and the dead of battles in which every ally draws one of its legal actions."""
    return _battle_figures('random play', 'random', make_env, n_envs, seed, targets)


def _battle_figures(part: str, policy: str, make_env: MakeEnv, n_envs: int, seed: int,
                    targets: dict[str, Any]) -> list[Figure]:
    """Play battles to their end and compare what ``targets`` names."""
    figures = []
    for map_name, known in targets['figures'].items():
        found = measure_battles(make_env, map_name, policy, n_envs, seed)
        for name, target in known.items():
            figures.append(
                Figure(part, map_name, name, real_estimate(target), estimate(found[name]), targets['source'])
            )
    return figures


def measure_battles(make_env: MakeEnv, map_name: str, policy: str, n_envs: int, seed: int) -> dict[str, Any]:
    """Return for one new battle in each env: samples, float [E], by name."""
    env = make_env(map_name, n_envs, seed)
    trace = record_trace(env, policy, SCENARIOS[map_name].episode_limit, seed)
    assert trace.dead_allies is not None and trace.dead_enemies is not None
    return {
        'length [env steps]': trace.n_steps.astype(float),
        'return': trace.reward.sum(1),
        'dead allies': trace.dead_allies.astype(float),
        'dead enemies': trace.dead_enemies.astype(float),
        'won': trace.won.astype(float)
    }
