"""The compiled reader of observations against protobuf's."""
import numpy as np
import pytest
from game_schema import Response

from ding_qmix.starcraft2 import unit_decoder
from ding_qmix.starcraft2.errors import WireError
from ding_qmix.starcraft2.unit_decoder import UnitDecoder

_FIELDS = dict(
    health=unit_decoder.HEALTH,
    health_max=unit_decoder.HEALTH_MAX,
    shield=unit_decoder.SHIELD,
    shield_max=unit_decoder.SHIELD_MAX,
    energy=unit_decoder.ENERGY,
    weapon_cooldown=unit_decoder.COOLDOWN
)


def make_observation(n_units: int, seed: int = 0):
    """A ResponseObservation of units with random numbers, of which each leaves some out."""
    rng, answer = np.random.default_rng(seed), Response().observation
    answer.observation.game_loop = 2 ** 19 + 5
    answer.observation.player_common.food_used = 300
    for _ in range(n_units):
        unit = answer.observation.raw_data.units.add()
        unit.display_type, unit.alliance, unit.owner = 1, 4, int(rng.integers(1, 17))
        unit.tag, unit.unit_type = int(rng.integers(2 ** 63)), int(rng.integers(2000))
        unit.pos.x, unit.pos.y, unit.pos.z = rng.random(3)
        unit.facing, unit.is_flying, unit.engaged_target_tag = 1.5, True, 2 ** 60
        unit.orders.add(ability_id=23, target_unit_tag=2 ** 60).target_world_space_pos.x = 99.
        for name in _FIELDS:
            if rng.random() < .7:
                setattr(unit, name, rng.random() * 100)
    answer.observation.raw_data.map_state.visibility.data = bytes(1024)
    return answer


@pytest.mark.unittest
@pytest.mark.parametrize('n_units', [0, 1, 60])
def test_units_are_read_as_protobuf_reads_them(n_units: int) -> None:
    answer = make_observation(n_units)
    read = UnitDecoder(capacity=4).read(answer.SerializeToString())
    units = answer.observation.raw_data.units
    assert (read.game_loop, read.has_result, len(read.tag)) == (2 ** 19 + 5, False, n_units)
    assert read.tag.tolist() == [unit.tag for unit in units]
    assert read.unit_type.tolist() == [unit.unit_type for unit in units]
    assert read.owner.tolist() == [unit.owner for unit in units]
    for k, unit in enumerate(units):
        assert (read.real[k, unit_decoder.X], read.real[k, unit_decoder.Y]) == (unit.pos.x, unit.pos.y)
        assert [read.real[k, column] for column in _FIELDS.values()] == [getattr(unit, name) for name in _FIELDS]


@pytest.mark.unittest
def test_what_the_reader_held_before_does_not_show() -> None:
    decoder = UnitDecoder(capacity=4)
    decoder.read(make_observation(3, seed=1).SerializeToString())
    later = make_observation(2, seed=2).SerializeToString()
    assert decoder.read(later).real.tobytes() == UnitDecoder(capacity=4).read(later).real.tobytes()


@pytest.mark.unittest
def test_result_of_the_game_is_seen() -> None:
    answer = make_observation(1)
    answer.player_result.add(player_id=1, result=3)
    assert UnitDecoder(1).read(answer.SerializeToString()).has_result


@pytest.mark.unittest
def test_every_truncated_observation_is_refused_or_whole_up_to_there() -> None:
    body, decoder = make_observation(3).SerializeToString(), UnitDecoder(4)
    for n_bytes in range(1, len(body) - 1):
        try:
            assert len(decoder.read(body[:n_bytes]).tag) == 0  # cut behind a field before the units
        except WireError as error:
            assert f'{n_bytes} bytes' in str(error)


@pytest.mark.unittest
def test_random_bytes_never_read_beyond_their_end() -> None:
    rng, decoder = np.random.default_rng(0), UnitDecoder(2)
    for _ in range(300):
        body = bytearray(make_observation(2).SerializeToString()[:400])
        body[int(rng.integers(len(body)))] = int(rng.integers(256))
        try:
            decoder.read(bytes(body))
        except WireError:
            pass
