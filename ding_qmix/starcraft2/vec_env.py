"""A batch of battles played by StarCraft II."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ding_qmix.smac.checks import check_array, check_env_ids, make_smac_options
from ding_qmix.smac.reward import reward_divisor
from ding_qmix.smac.scenarios import get_scenario, make_spec
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y
from ding_qmix.smac.vec_step import make_step
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecStep
from ding_qmix.starcraft2.battle import GameBattle
from ding_qmix.starcraft2.checks import check_actions, check_seeds
from ding_qmix.starcraft2.connection import import_websocket
from ding_qmix.starcraft2.errors import GameLost
from ding_qmix.starcraft2.fleet import GameFleet
from ding_qmix.starcraft2.game import BattleMap, Game
from ding_qmix.starcraft2.install import find_game, find_map
from ding_qmix.starcraft2.options import GameOptions
from ding_qmix.starcraft2.showing import score_step, show
from ding_qmix.starcraft2.unit_table import UnitTable, make_units


class StarCraft2VecEnv:
    """
    Overview:
        E battles on one map, each played by a process of the game. Implements ``ding_qmix.spec.VecEnv``.

        All games play an env step at the same time. One that breaks is started anew, and its episode is ``lost``; where
        that happens too often in a row, without an episode played to its end, the batch has failed.

        A seed decides which game is played, and the game plays the same battles for the same seed and actions. Its
        state cannot be saved: after ``load_state_dict`` all episodes are new ones.
    Arguments:
        - map_name, n_envs: a SMAC map, and how many games play it
        - seed: env i gets ``seed + i``; or a sequence with one seed per env
        - obs_style, special_global_state, death_mask: as for the simulator
        - game: how the game is found, started and watched over
        - smac_options: SMAC's options of reward, view and actions, as for the simulator
    Raises:
        - GameRefused: the game, its version or the map is not there; tells what to install and where
        - EnvFailure: a game does not start
        - ImportError: websocket-client is not installed
    """

    def __init__(
            self,
            map_name: str,
            n_envs: int,
            seed: Union[int, Sequence[int]] = 0,
            obs_style: str = 'ding',
            special_global_state: bool = False,
            death_mask: bool = False,
            game: Optional[GameOptions] = None,
            **smac_options: Any
    ) -> None:
        import_websocket()
        options = game or GameOptions()
        self._rewards, view, actions = make_smac_options(smac_options)
        spec = make_spec(map_name, obs_style, 'starcraft2', '', special_global_state, view)
        install = find_game(options.version, options.path)
        scenario, path = get_scenario(map_name), find_map(map_name, install.root, options.map_dir)
        battle_map = BattleMap(path, scenario.ally_race, scenario.enemy_race)
        self.n_envs, n_units = n_envs, spec.n_agents + spec.n_enemies
        self._unit, self._final_unit = make_units(n_envs, n_units), make_units(n_envs, n_units)
        self._final_type = np.zeros((n_envs, n_units), np.int32)
        layout = dict(
            special_global_state=bool(special_global_state), death_mask=bool(death_mask), view=view, actions=actions
        )
        seeds = [seed + e for e in range(n_envs)] if isinstance(seed, (int, np.integer)) else seed
        self._battles = [
            GameBattle(
                Game(install, battle_map, options, actions.step_mul), UnitTable(scenario, unit, obs_style, **layout),
                options
            ) for unit in self._unit
        ]
        self._unit_at = np.arange(n_units, dtype=np.int32)  # tables are in SMAC's order
        self._last_action = np.full((n_envs, spec.n_agents), -1, np.int32)
        self._divisor = np.ones(n_envs)  # [E], [raw reward per scaled reward]
        self._whole = np.zeros(n_envs, bool)  # [E], an episode runs, and no call about it was interrupted
        self._at_start = np.zeros(n_envs, bool)  # [E], it has not been stepped: length and return are of the one before
        self._replays: Optional[list[Path]] = None  # [E], how the names of the replay files begin
        self._out = make_step(n_envs, spec)
        self.seed(np.asarray(seeds))
        self._fleet = GameFleet(self._battles, options.max_failures)
        self.spec: EnvSpec = spec._replace(backend_version=str(self._fleet.start()))

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """Begin a new episode in all envs, or in those of ``env_ids`` (int [k]); see ``VecEnv.reset``."""
        ids = np.arange(self.n_envs) if env_ids is None else check_env_ids(env_ids, self.n_envs)
        self._clear_flags()
        self._whole[ids] = False
        self._begin_episodes(ids)
        self._clear_episode(ids)
        self._whole[ids] = True
        return self._out

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Play one decision; see ``VecEnv.step``. Where ``lost`` is set, the game broke, and a new episode begins in
            another one; ``lost_cause`` tells why.
        Raises:
            - TypeError, ValueError: wrong dtype or shape, or an illegal action of an active env; nothing was played
            - RuntimeError: an active env was never reset, or its last call was interrupted
            - EnvFailure: a game failed too often
        """
        out = self._out
        ids = np.arange(self.n_envs) if active is None else np.flatnonzero(
            check_array('active', active, np.bool_, (self.n_envs, ))
        )
        actions = check_actions(actions, out.action_mask, ids, self.spec.map_name)
        if not self._whole[ids].all():
            e = int(ids[~self._whole[ids]][0])
            raise RuntimeError(f'env {e} was never reset, or its last call was interrupted: call reset() before step()')
        self._clear_flags()
        self._clear_episode(ids[self._at_start[ids]])
        self._at_start[ids], self._whole[ids] = False, False
        vitals = self._unit[:, HEALTH] + self._unit[:, SHIELD]  # [E, U]
        played = self._fleet.play(ids, actions)
        self._last_action[played] = actions[played]
        ended = [e for e in played.tolist() if self._score(e, vitals[e])]
        lost = np.setdiff1d(ids, played)
        self._begin_episodes(np.union1d(ended, lost).astype(np.int64))
        self._clear_episode(lost)
        out.lost[lost], self._whole[ids] = True, True
        return out

    def observe(self) -> VecStep:
        """Return what the env shows; see ``VecEnv.observe``."""
        return self._out

    def lost_cause(self, env_id: int) -> str:
        """Return why an env's latest ``lost`` episode could not be played on, '' if it has lost none."""
        return self._battles[env_id].cause

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """Seed the envs' games; a new game begins with the next ``reset``, or with the next episode."""
        ids = np.arange(self.n_envs) if env_ids is None else check_env_ids(env_ids, self.n_envs)
        for e, seed in zip(ids, check_seeds(seeds, len(ids))):
            self._battles[e].seed(seed)

    def units(self) -> UnitSnapshot:
        """Copy the unit tables of the running episodes; the units' targets are not known."""
        return _snapshot(self._unit, np.array([battle.table.rules.unit_type for battle in self._battles]))

    def final_units(self) -> UnitSnapshot:
        """Copy the unit tables as they were when the envs' last episodes ended; see ``VecEnv.final_units``."""
        return _snapshot(self._final_unit, self._final_type)

    def record_replays(self, prefixes: Sequence[Path]) -> None:
        """
        Overview:
            Save the game's own replays from now on.
        Arguments:
            - prefixes: [E], path and beginning of the files' names; a number and '.SC2Replay' are added. There is one \
                file per game, written anew with every episode that ends: it holds all of the game up to there.
        """
        self._replays = [Path(prefix) for prefix in prefixes]

    def save_replay(self, env_id: int) -> bytes:
        """Return the contents of a file .SC2Replay with what an env's game has played. EnvFailure if it broke."""
        return self._battles[env_id].game.save_replay()

    def state_dict(self) -> dict[str, Any]:
        """Return what can be saved: which games are to be begun next."""
        return {
            'map_name': self.spec.map_name,
            'backend_version': self.spec.backend_version,
            'games': [[battle.first_seed, battle.n_games] for battle in self._battles],
            'started': self._whole.tolist(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """
        Overview:
            Begin a new episode in each env that had one, in the games that would have been begun next.
        Raises:
            - ValueError: it is of another map, game version or number of envs
        """
        for key in ('map_name', 'backend_version'):
            mine = getattr(self.spec, key)
            if state_dict.get(key) != mine:
                raise ValueError(f'load_state_dict: {key} is {state_dict.get(key)!r}, this env has {mine!r}')
        if len(state_dict['games']) != self.n_envs:
            n_saved = len(state_dict['games'])
            raise ValueError(f'load_state_dict: saved with {n_saved} envs, this one has {self.n_envs}')
        for battle, (seed, n_games) in zip(self._battles, state_dict['games']):
            battle.seed(seed, n_games)
        self._whole[:] = False
        self.reset(np.flatnonzero(state_dict['started']))

    def close(self) -> None:
        """End all games; a second call does nothing."""
        self._fleet.close()
        self._whole[:] = False

    def _score(self, e: int, vitals_before: np.ndarray) -> bool:
        """Write what the step of env e was worth and what it shows; return whether the episode ended."""
        out, battle, unit = self._out, self._battles[e], self._unit[e]
        rules = battle.table.rules
        ended = bool(score_step(e, unit, vitals_before, rules, self._rewards, self._divisor[e], out))
        shown = (out.final_obs, out.final_state, out.final_action_mask) if ended else out[:3]
        show(unit, self._unit_at, self._last_action[e], out.episode_len[e], rules, *(array[e] for array in shown))
        if ended:
            battle.n_failures = 0
            self._final_unit[e], self._final_type[e] = unit, rules.unit_type
            self._write_replay(e)
        return ended

    def _begin_episodes(self, env_ids: np.ndarray) -> None:
        """Begin an episode in these envs, int [K], and write what it shows."""
        self._fleet.begin_episodes(env_ids)
        for e in env_ids.tolist():
            rules = self._battles[e].table.rules
            self._divisor[e] = reward_divisor(rules, self._rewards)
            self._last_action[e] = -1
            self._at_start[e] = True
            show(self._unit[e], self._unit_at, self._last_action[e], 0, rules, *(array[e] for array in self._out[:3]))

    def _write_replay(self, e: int) -> None:
        """Save the replay of env e, if that was asked for. A game that breaks here does so again at its next use."""
        if self._replays is None:
            return
        prefix, battle = self._replays[e], self._battles[e]
        path = prefix.with_name(f'{prefix.name}_game{battle.n_games}.SC2Replay')
        try:
            data = battle.game.save_replay()
        except GameLost:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _clear_flags(self) -> None:
        for field in (self._out.reward, self._out.terminated, self._out.truncated, self._out.won, self._out.lost):
            field[:] = 0

    def _clear_episode(self, env_ids: np.ndarray) -> None:
        """Write that in these envs, int [K], nothing was played of the episode."""
        for field in (self._out.dead_allies, self._out.dead_enemies, self._out.episode_len, self._out.episode_return):
            field[env_ids] = 0


def _snapshot(unit: np.ndarray, unit_type: np.ndarray) -> UnitSnapshot:
    """Copy unit tables, float64 [E, N_FIELDS, U], and types, int32 [E, U]."""
    return UnitSnapshot(
        unit_type=unit_type.copy(),
        x=unit[:, X].copy(),
        y=unit[:, Y].copy(),
        health=unit[:, HEALTH].copy(),
        shield=unit[:, SHIELD].copy(),
        energy=unit[:, ENERGY].copy(),
        cooldown=unit[:, COOLDOWN].copy(),
        alive=unit[:, HEALTH] > 0.,
        target=np.full(unit_type.shape, -1, np.int32),
    )
