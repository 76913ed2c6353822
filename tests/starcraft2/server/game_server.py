"""Answers the game's requests."""
from typing import Any

import numpy as np
from game_faults import Faults
from game_schema import Request, Response
from websocket_line import Line

from ding_qmix.smac.scenarios import SCENARIOS
from ding_qmix.smac.terrain import MAP_SIZE, pathing_grid
from ding_qmix.smac.units import COOLDOWN, ENERGY, HEALTH, SHIELD, X, Y

LAUNCHED, INIT_GAME, IN_GAME, ENDED, QUIT = 1, 2, 3, 5, 6  # status
LAST_LOOP = 2 ** 19  # [game loops] at which the game ends a game
BORDER = 2  # [cells] round the playable area
_MISSING_MAP, _INVALID_MAP = 1, 2  # errors of create_game


class GameServer:
    """One game, for one client."""

    def __init__(self, line: Line, faults: Faults, data_version: str) -> None:
        self._line, self._faults, self._data_version = line, faults, data_version
        self._status = LAUNCHED
        self._battle: Any = None  # ServedBattle
        self._map_name, self._seed = '', 0
        self._n_played = 0  # requests to play, for the replay

    def run(self) -> None:
        """Answer until the client is gone."""
        while (message := self._line.receive()) is not None:
            request = Request.FromString(message)
            name = next(field.name for field, _ in request.ListFields() if field.name != 'id')
            fault = self._faults.at_request(name)
            response = Response(id=request.id)
            if fault is not None and fault.kind == 'hang_up':
                self._line.hang_up()
                return
            if fault is not None and fault.kind == 'garbage':
                self._line.send(b'\x0f\xff\xff')
                continue
            if fault is not None and fault.kind == 'error':
                response.error.append(f'cannot {name} now')
            elif fault is not None and fault.kind == 'wrong_answer':
                response.ping.SetInParent()
            elif fault is not None and fault.kind == 'refuse':
                getattr(response, name).error = _INVALID_MAP
                getattr(response, name).error_details = 'e_fileCorruptRepairable'
            else:
                getattr(response, name).SetInParent()
                getattr(self, f'_{name}')(getattr(request, name), response)
            response.status = self._status
            self._line.send(response.SerializeToString())
            if self._status == QUIT:
                return

    def _ping(self, request, response) -> None:
        response.ping.game_version, response.ping.data_version = '4.10.0.75689', self._data_version
        response.ping.base_build = response.ping.data_build = 75689

    def _quit(self, request, response) -> None:
        self._status = QUIT

    def _create_game(self, request, response) -> None:
        self._map_name = request.local_map.map_path.rsplit('/', 1)[-1].replace('.SC2Map', '')
        if self._map_name not in SCENARIOS or not request.local_map.map_data:
            response.create_game.error, response.create_game.error_details = _MISSING_MAP, request.local_map.map_path
        elif [player.type for player in request.player_setup] != [1, 2] or request.realtime:
            response.error.append('expected a participant and a computer, not in real time')
        else:
            self._seed, self._status = request.random_seed, INIT_GAME

    def _join_game(self, request, response) -> None:
        if self._status != INIT_GAME or not request.options.raw:
            response.error.append('no game was created, or not for raw data')
            return
        from served_battle import ServedBattle  # late: the simulator takes a second to load

        self._battle = ServedBattle(self._map_name, self._seed, self._faults.respawn_at_once)
        response.join_game.player_id, self._status = 1, IN_GAME

    def _game_info(self, request, response) -> None:
        if self._playing(response):
            raw = response.game_info.start_raw
            response.game_info.map_name = self._map_name
            raw.map_size.x = raw.map_size.y = MAP_SIZE
            grid = pathing_grid(SCENARIOS[self._map_name].terrain)
            for image, bits, data in ((raw.pathing_grid, 1, np.packbits(grid.T)),
                                      (raw.terrain_height, 8, np.full(MAP_SIZE ** 2, 127, np.uint8))):
                image.bits_per_pixel, image.data = bits, data.tobytes()
                image.size.x = image.size.y = MAP_SIZE
            raw.playable_area.p0.x = raw.playable_area.p0.y = BORDER
            raw.playable_area.p1.x = raw.playable_area.p1.y = MAP_SIZE - BORDER

    def _action(self, request, response) -> None:
        if self._playing(response):
            self._n_played += 1
            for action in request.actions:
                given = action.action_raw.unit_command
                target = given.target_world_space_pos.x, given.target_world_space_pos.y
                for tag in given.unit_tags:
                    done = self._battle.order(given.ability_id, tag, given.target_unit_tag, target)
                    response.action.result.append(1 if done else 2)

    def _step(self, request, response) -> None:
        if self._playing(response):
            self._battle.play(request.count or 1)
            response.step.simulation_loop = self._battle.game_loop
            if self._battle.game_loop >= LAST_LOOP or self._faults.shown('ended'):
                self._status = ENDED

    def _debug(self, request, response) -> None:
        if self._playing(response):
            for command in request.debug:
                self._battle.kill(list(command.kill_unit.tag))

    def _save_replay(self, request, response) -> None:
        if self._playing(response):
            response.save_replay.data = f'replay of {self._map_name}, {self._n_played} actions'.encode()

    def _observation(self, request, response) -> None:
        if self._status not in (IN_GAME, ENDED):
            response.error.append('no game runs')
            return
        answer = response.observation
        answer.observation.game_loop = self._battle.game_loop
        answer.observation.player_common.player_id = 1
        if self._status == ENDED:
            answer.player_result.add(player_id=1, result=3)
        order = self._shown_units()
        for u in order:
            self._write_unit(u, answer.observation.raw_data.units.add())
        if self._faults.shown('extra_unit'):
            self._write_unit(0, answer.observation.raw_data.units.add())
            answer.observation.raw_data.units[-1].tag = 7
        answer.observation.raw_data.map_state.visibility.data = bytes(MAP_SIZE ** 2)

    def _shown_units(self) -> list[int]:
        """Return the living units in the order of the list: enemies in theirs, allies from last to first."""
        battle = self._battle
        order = [*battle.in_order()[battle.n_agents:], *reversed(range(battle.n_agents))]
        late, missing = self._faults.shown('late_units'), self._faults.shown('missing_unit')
        if late and battle.loops_since_spawn <= late.value:
            order = order[1:-1]
        if missing:
            order.remove(0)
        return [u for u in order if battle.unit[HEALTH, u] > 0.]

    def _write_unit(self, u: int, out) -> None:
        battle, stats = self._battle, self._battle.stats[u]
        ally = u < battle.n_agents
        out.display_type, out.alliance, out.owner = 1, 1 if ally else 4, 1 if ally else 2
        out.tag, out.unit_type = battle.tag(u), battle.types[u]
        if u == 0 and self._faults.shown('other_type'):
            out.unit_type = 105
        out.pos.x, out.pos.y, out.pos.z = battle.unit[X, u], battle.unit[Y, u], 8.
        out.facing, out.radius, out.build_progress, out.cloak = 1., .5, 1., 3
        out.buff_ids.append(5)
        out.health, out.health_max = battle.unit[HEALTH, u], stats.health
        if stats.shield:
            out.shield, out.shield_max = battle.unit[SHIELD, u], stats.shield
        if stats.energy_max:
            out.energy, out.energy_max = battle.unit[ENERGY, u], stats.energy_max
        out.weapon_cooldown = battle.unit[COOLDOWN, u]
        out.is_active = True
        out.orders.add(ability_id=23, target_unit_tag=battle.tag(0))

    def _playing(self, response) -> bool:
        """Return whether a game runs; if not, the response says so."""
        if self._status != IN_GAME:
            response.error.append('Game has already ended' if self._status == ENDED else 'no game runs')
        return self._status == IN_GAME
