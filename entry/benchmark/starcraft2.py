"""
How fast games of StarCraft II are played, and how much of that is the client's own time.

    SC2PATH=<folder> python entry/benchmark/starcraft2.py MMM --games 1 8 16

Prints one JSON line per number of games: env steps per second of all games together, and the client's processor time
per env step of one game, [ms], which is spent beside the game. Random play; resets are part of it.
"""
import argparse
import json
import time
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from ding_qmix.envs import make_vec_env


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('map_name')
    parser.add_argument('--games', type=int, nargs='+', default=[1, 8])
    parser.add_argument('--steps', type=int, default=200, help='env steps of each game')
    arguments = parser.parse_args(argv)
    for n_games in arguments.games:
        print(json.dumps(measure(arguments.map_name, n_games, arguments.steps)), flush=True)


def measure(map_name: str, n_games: int, n_steps: int) -> dict[str, Any]:
    """Return the speed of some games that play some env steps each."""
    env, rng = make_vec_env(map_name, n_games, backend='starcraft2'), np.random.default_rng(0)
    try:
        step = env.reset()
        step = env.step(_draw(step.action_mask, rng))  # compiles
        start, cpu_start = time.perf_counter(), time.process_time()
        drawing = 0.  # [seconds], not the client's
        for _ in range(n_steps):
            begin = time.process_time()
            actions = _draw(step.action_mask, rng)
            drawing += time.process_time() - begin
            step = env.step(actions)
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu_start - drawing
    finally:
        env.close()
    return {
        'map': map_name,
        'version': env.spec.backend_version,
        'games': n_games,
        'env_steps_per_s': round(n_games * n_steps / elapsed, 1),
        'client_ms_per_env_step': round(1000. * cpu / (n_games * n_steps), 3),
    }


def _draw(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a legal action per agent, int64 [E, N]."""
    return (rng.random(mask.shape) * mask).argmax(-1)


if __name__ == '__main__':
    main()
