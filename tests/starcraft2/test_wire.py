"""The wire format against protobuf's own."""
import pytest
from game_schema import Request, Unit

from ding_qmix.starcraft2.errors import WireError
from ding_qmix.starcraft2.wire import bytes_field, float_field, int_field, read_fields, read_message, varint


@pytest.mark.unittest
@pytest.mark.parametrize('value', [0, 1, 127, 128, 300, 2 ** 32 - 1, 2 ** 64 - 1])
def test_integer_is_written_as_protobuf_does(value: int) -> None:
    assert int_field(3, value) == Unit(tag=value).SerializeToString()
    assert read_message(int_field(3, value)) == {3: value}


@pytest.mark.unittest
def test_float_and_text_are_written_as_protobuf_does() -> None:
    assert float_field(14, 44.7) == Unit(health=44.7).SerializeToString()
    request = Request()
    request.create_game.local_map.map_path = 'größe' * 40  # its length takes two bytes
    path = request.create_game.local_map.map_path.encode()
    assert bytes_field(1, bytes_field(1, bytes_field(1, path))) == request.SerializeToString()


@pytest.mark.unittest
def test_every_field_of_a_message_is_read() -> None:
    unit = Unit(tag=2 ** 40, unit_type=48, health=45., buff_ids=[5, 6])
    unit.pos.x = 1.5
    fields = list(read_fields(unit.SerializeToString()))
    assert [number for number, _ in fields] == [3, 4, 6, 14, 27, 27] and fields[0] == (3, 2 ** 40)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'message, word', [
        (b'\x08', 'within a number'),
        (b'\x0a\x05abc', '5 bytes, but only 3'),
        (b'\x0d\x00\x00', '4 bytes, but only 2'),
        (b'\x0b', 'wire type 3'),
        (b'\xff' * 11, 'more than 10 bytes'),
    ]
)
def test_bytes_that_are_no_message_are_refused(message: bytes, word: str) -> None:
    with pytest.raises(WireError, match=word):
        read_message(message)


@pytest.mark.unittest
def test_varint_of_a_large_number_has_its_low_bits_first() -> None:
    assert varint(300) == b'\xac\x02'
