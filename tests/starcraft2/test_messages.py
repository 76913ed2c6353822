"""Requests and answers against protobuf's messages, and those against what Blizzard publishes."""
import ast
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from game_schema import MESSAGES, Request, Response, read_field
from google.protobuf import descriptor_pb2

from ding_qmix.starcraft2 import messages
from ding_qmix.starcraft2.errors import GameLost, GameRefused

_TYPES = {number: name[5:].lower() for name, number in descriptor_pb2.FieldDescriptorProto.Type.items()}


def body_of(response: Response, what: int) -> bytes:
    return messages.read_answer(response.SerializeToString(), what).body


@pytest.mark.unittest
def test_create_game_sends_the_map_and_a_computer_of_the_enemys_race() -> None:
    given = Request.FromString(messages.create_game('SMAC_Maps/3m.SC2Map', b'\0map', 'Z', 2 ** 32 - 1)).create_game
    assert (given.local_map.map_path, given.local_map.map_data) == ('SMAC_Maps/3m.SC2Map', b'\0map')
    assert [(p.type, p.race, p.difficulty) for p in given.player_setup] == [(1, 0, 0), (2, 2, 7)]
    assert given.random_seed == 2 ** 32 - 1 and not given.realtime


@pytest.mark.unittest
def test_join_game_asks_for_units_alone() -> None:
    given = Request.FromString(messages.join_game('P')).join_game
    assert given.race == 3 and given.options.raw and not given.options.score


@pytest.mark.unittest
def test_commands_are_those_of_smac() -> None:
    commands = [
        messages.command_stop(7),
        messages.command_move(2 ** 33, 9.5, -.25),
        messages.command_target(8, messages.HEAL, 9)
    ]
    given = [a.action_raw.unit_command for a in Request.FromString(messages.act(commands)).action.actions]
    assert [(c.ability_id, list(c.unit_tags)) for c in given] == [(4, [7]), (16, [2 ** 33]), (386, [8])]
    assert (given[1].target_world_space_pos.x, given[1].target_world_space_pos.y) == (9.5, -.25)
    assert given[2].target_unit_tag == 9 and not any(c.queue_command for c in given)


@pytest.mark.unittest
def test_step_kill_and_plain_requests_are_read_by_protobuf() -> None:
    assert Request.FromString(messages.step(8)).step.count == 8
    killed = Request.FromString(messages.kill_units([1, 2 ** 40])).debug.debug
    assert [list(command.kill_unit.tag) for command in killed] == [[1, 2 ** 40]]
    assert [Request.FromString(messages.request(what)).HasField(messages.NAMES[what]) for what in messages.NAMES]


@pytest.mark.unittest
def test_answer_has_body_and_status() -> None:
    response = Response(status=3, id=1)
    response.step.simulation_loop = 4
    answer = messages.read_answer(response.SerializeToString(), messages.STEP)
    assert answer == (response.step.SerializeToString(), messages.IN_GAME)


@pytest.mark.unittest
def test_answer_with_an_error_another_body_or_garbage_is_a_lost_game() -> None:
    failed = Response(error=['no game', 'really']).SerializeToString()
    for message, word in ((failed, 'no game; really'), (b'\x98\x06\x03', 'without it'), (b'\x08', 'cannot be read')):
        with pytest.raises(GameLost, match=f'step.*{word}'):
            messages.read_answer(message, messages.STEP)


@pytest.mark.unittest
def test_refused_map_and_join_say_what_the_game_said() -> None:
    response = Response()
    response.create_game.error, response.create_game.error_details = 2, 'e_fileCorruptRepairable'
    with pytest.raises(GameRefused, match=r'map x\.SC2Map: error 2 e_fileCorruptRepairable; .*oxwhirl/smac'):
        messages.check_created(body_of(response, messages.CREATE_GAME), 'x.SC2Map')
    response.join_game.error, response.join_game.error_details = 1, 'no slot'
    with pytest.raises(GameRefused, match='joined: error 1 no slot'):
        messages.check_joined(body_of(response, messages.JOIN_GAME))


@pytest.mark.unittest
@pytest.mark.parametrize('bits', [1, 8])
def test_terrain_is_read_in_the_format_of_new_and_old_games(bits: int) -> None:
    pathable = np.random.default_rng(0).random((16, 8)) < .5  # [x, y]
    response = Response()
    raw = response.game_info.start_raw
    raw.map_size.x, raw.map_size.y = pathable.shape
    raw.pathing_grid.bits_per_pixel = bits
    rows = np.packbits(pathable.T) if bits == 1 else np.where(pathable.T[::-1], 0, 255).astype(np.uint8)
    raw.pathing_grid.data = rows.tobytes()
    raw.playable_area.p0.y, raw.playable_area.p1.x, raw.playable_area.p1.y = 2, 14, 6  # p0.x is 0: left out
    info = messages.read_map_info(body_of(response, messages.GAME_INFO))
    assert (info.pathable == pathable).all() and info.extent == (14., 4.)


@pytest.mark.unittest
def test_game_info_without_terrain_is_refused_by_name() -> None:
    response = Response()
    response.game_info.map_name = 'x'
    with pytest.raises(GameRefused, match='start_raw'):
        messages.read_map_info(body_of(response, messages.GAME_INFO))


@pytest.mark.unittest
def test_version_names_game_and_data() -> None:
    response = Response()
    response.ping.game_version, response.ping.data_version = '4.10.0.75689', 'B89B'
    assert str(messages.read_version(body_of(response, messages.PING))) == '4.10.0.75689 (data B89B)'


@pytest.mark.unittest
def test_field_numbers_are_those_that_blizzard_publishes() -> None:
    spec = importlib.util.find_spec('s2clientprotocol')
    if spec is None:
        pytest.skip('s2clientprotocol, which has the published messages, is not installed')
    published = {}
    for name in ('sc2api', 'raw', 'common', 'debug'):
        # Newer releases of protobuf refuse to import it: its descriptor is read out of the source.
        source = Path(spec.submodule_search_locations[0], f'{name}_pb2.py').read_text()
        literal = re.search(r"serialized_pb=_b\((.*?)\)\s*[,\n]", source, re.S)[1]
        file = descriptor_pb2.FileDescriptorProto.FromString(ast.literal_eval(literal).encode('latin1'))
        published.update({message.name: {f.name: f for f in message.field} for message in file.message_type})
    for name in MESSAGES.keys() - {'Empty'}:
        for field, number, kind, repeated in map(read_field, filter(str.strip, MESSAGES[name].split(','))):
            theirs = published[name][field]
            their_type = {'message': kind, 'enum': 'int32'}.get(_TYPES[theirs.type], _TYPES[theirs.type])
            assert (theirs.number, their_type, theirs.label == 3) == (number, kind, repeated), (name, field)
