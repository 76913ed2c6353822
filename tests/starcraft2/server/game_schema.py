"""
The game's messages as protobuf classes, for the test server. They share no code with the client's own codec.

Only the fields that SMAC's client reads or writes, and some that the game sends and it must skip. Descriptors go into a
pool of their own, so that other packages' copies of these messages are not in the way.

Source: Blizzard/s2client-proto s2clientprotocol/sc2api.proto, raw.proto, common.proto, debug.proto @ dd91ad3
"""
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = 'SC2APIProtocol'
# Message: fields as 'name number type', '*' behind a type means repeated. Types that begin with a capital are messages.
MESSAGES = {
    'Request': '''create_game 1 RequestCreateGame, join_game 2 RequestJoinGame, restart_game 3 Empty, quit 8 Empty,
        game_info 9 Empty, observation 10 RequestObservation, action 11 RequestAction, step 12 RequestStep,
        save_replay 15 Empty, ping 19 Empty, debug 20 RequestDebug, id 97 uint32''',
    'Response': '''create_game 1 ResponseCreateGame, join_game 2 ResponseJoinGame, restart_game 3 Empty, quit 8 Empty,
        game_info 9 ResponseGameInfo, observation 10 ResponseObservation, action 11 ResponseAction,
        step 12 ResponseStep, save_replay 15 ResponseSaveReplay, ping 19 ResponsePing, debug 20 Empty, id 97 uint32,
        error 98 string*, status 99 int32''',
    'Empty': '',
    'RequestCreateGame': '''local_map 1 LocalMap, player_setup 3 PlayerSetup*, disable_fog 4 bool, random_seed 5 uint32,
        realtime 6 bool''',
    'LocalMap': 'map_path 1 string, map_data 7 bytes',
    'PlayerSetup': 'type 1 int32, race 2 int32, difficulty 3 int32',
    'ResponseCreateGame': 'error 1 int32, error_details 2 string',
    'RequestJoinGame': 'race 1 int32, options 3 InterfaceOptions',
    'InterfaceOptions': 'raw 1 bool, score 2 bool',
    'ResponseJoinGame': 'player_id 1 uint32, error 2 int32, error_details 3 string',
    'ResponseGameInfo': 'map_name 1 string, start_raw 4 StartRaw',
    'StartRaw': '''map_size 1 Size2DI, pathing_grid 2 ImageData, terrain_height 3 ImageData, placement_grid 4 ImageData,
        playable_area 5 RectangleI''',
    'ImageData': 'bits_per_pixel 1 int32, size 2 Size2DI, data 3 bytes',
    'Size2DI': 'x 1 int32, y 2 int32',
    'PointI': 'x 1 int32, y 2 int32',
    'RectangleI': 'p0 1 PointI, p1 2 PointI',
    'RequestObservation': 'disable_fog 1 bool, game_loop 2 uint32',
    'ResponseObservation': 'observation 3 Observation, player_result 4 PlayerResult*',
    'PlayerResult': 'player_id 1 uint32, result 2 int32',
    'Observation': 'game_loop 9 uint32, player_common 1 PlayerCommon, raw_data 5 ObservationRaw',
    'PlayerCommon': 'player_id 1 uint32, food_used 5 uint32',
    'ObservationRaw': 'units 2 Unit*, map_state 3 MapState',
    'MapState': 'visibility 1 ImageData',
    'Unit': '''display_type 1 int32, alliance 2 int32, tag 3 uint64, unit_type 4 uint32, owner 5 int32, pos 6 Point,
        facing 7 float, radius 8 float, build_progress 9 float, cloak 10 int32, buff_ids 27 uint32*, health 14 float,
        health_max 15 float, shield 16 float, shield_max 36 float, energy 17 float, energy_max 37 float,
        is_flying 20 bool, is_active 39 bool, orders 22 UnitOrder*, weapon_cooldown 30 float,
        engaged_target_tag 34 uint64''',
    'Point': 'x 1 float, y 2 float, z 3 float',
    'Point2D': 'x 1 float, y 2 float',
    'UnitOrder': 'ability_id 1 uint32, target_world_space_pos 2 Point, target_unit_tag 3 uint64, progress 4 float',
    'RequestAction': 'actions 1 Action*',
    'Action': 'action_raw 1 ActionRaw',
    'ActionRaw': 'unit_command 1 ActionRawUnitCommand',
    'ActionRawUnitCommand': '''ability_id 1 int32, target_world_space_pos 2 Point2D, target_unit_tag 3 uint64,
        unit_tags 4 uint64*, queue_command 5 bool''',
    'ResponseAction': 'result 1 int32*',
    'RequestStep': 'count 1 uint32',
    'ResponseStep': 'simulation_loop 1 uint32',
    'ResponseSaveReplay': 'data 1 bytes',
    'ResponsePing': 'game_version 1 string, data_version 2 string, data_build 3 uint32, base_build 4 uint32',
    'RequestDebug': 'debug 1 DebugCommand*',
    'DebugCommand': 'kill_unit 4 DebugKillUnit',
    'DebugKillUnit': 'tag 1 uint64*',
}
_FIELD = descriptor_pb2.FieldDescriptorProto


def read_field(text: str) -> tuple[str, int, str, bool]:
    """Return name, number, type and whether it is repeated, of a field as the table above has it."""
    name, number, kind = text.split()
    return name, int(number), kind.rstrip('*'), kind.endswith('*')


def _make_messages() -> dict[str, Any]:
    """Return the messages' classes by name."""
    file = descriptor_pb2.FileDescriptorProto(name='game.proto', package=PACKAGE, syntax='proto2')
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in filter(str.strip, fields.split(',')):
            field, number, kind, repeated = read_field(text)
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            if kind[0].isupper():
                message.field.add(
                    name=field, number=number, label=label, type=_FIELD.TYPE_MESSAGE, type_name=f'.{PACKAGE}.{kind}'
                )
            else:
                message.field.add(name=field, number=number, label=label, type=getattr(_FIELD, f'TYPE_{kind.upper()}'))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    make = getattr(message_factory, 'GetMessageClass', None) or message_factory.MessageFactory(pool).GetPrototype
    return {name: make(pool.FindMessageTypeByName(f'{PACKAGE}.{name}')) for name in MESSAGES}


_CLASSES = _make_messages()
Request, Response, Unit = _CLASSES['Request'], _CLASSES['Response'], _CLASSES['Unit']
