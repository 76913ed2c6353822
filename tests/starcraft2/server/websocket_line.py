"""The server's end of a websocket, for one client; RFC 6455 as far as binary messages need it."""
import base64
import hashlib
import socket
import struct
from typing import Optional

_GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10  # opcodes


class Line:
    """An open connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._file = connection.makefile('rb')

    def receive(self) -> Optional[bytes]:
        """Return the next message, None if the client has hung up."""
        message = b''
        while True:
            head = self._file.read(2)
            if len(head) < 2:
                return None
            opcode, length = head[0] & 15, head[1] & 127
            if length == 126:
                length, = struct.unpack('>H', self._file.read(2))
            elif length == 127:
                length, = struct.unpack('>Q', self._file.read(8))
            mask = self._file.read(4) if head[1] & 128 else b'\0\0\0\0'
            data = _masked(self._file.read(length), mask)
            if opcode == _CLOSE:
                return None
            if opcode == _PING:
                self._write(_PONG, data)
            elif opcode != _PONG:
                message += data
                if head[0] & 128:  # the last part
                    return message

    def send(self, message: bytes) -> None:
        """Send a message."""
        self._write(_BINARY, message)

    def hang_up(self) -> None:
        """Close without a word."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _write(self, opcode: int, data: bytes) -> None:
        n = len(data)
        if n < 126:
            length = struct.pack('>B', n)
        elif n < 1 << 16:
            length = struct.pack('>BH', 126, n)
        else:
            length = struct.pack('>BQ', 127, n)
        self._socket.sendall(bytes([0x80 | opcode]) + length + data)


def accept(listener: socket.socket, ready_after: int = 0) -> Line:
    """Return the line to the first client; ``ready_after`` attempts before are answered by HTTP status 404."""
    while True:
        connection, _ = listener.accept()
        head = b''
        while b'\r\n\r\n' not in head:
            part = connection.recv(4096)
            if not part:
                break
            head += part
        key = [
            line.split(b':', 1)[1].strip() for line in head.split(b'\r\n')
            if line.lower().startswith(b'sec-websocket-key:')
        ]
        if ready_after > 0 or not key or not head.startswith(b'GET /sc2api '):
            ready_after -= 1
            connection.sendall(b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
            connection.close()
            continue
        answer = base64.b64encode(hashlib.sha1(key[0] + _GUID).digest())
        connection.sendall(
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
            b'Sec-WebSocket-Accept: ' + answer + b'\r\n\r\n'
        )
        return Line(connection)


def _masked(data: bytes, mask: bytes) -> bytes:
    """Return data xor the mask, over and over."""
    n = len(data)
    whole = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(whole, 'big')).to_bytes(n, 'big')
