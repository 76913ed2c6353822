"""The line to a game: requests out, answers in, in the same order."""
import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Callable, Optional

from ding_qmix.starcraft2 import messages
from ding_qmix.starcraft2.errors import GameLost
from ding_qmix.starcraft2.messages import Answer

_RETRY_PERIOD = .25  # [seconds] between two attempts to connect
_NOT_READY = 404  # HTTP status while the game loads
_INSTALL_HINT = "pip install 'ding-qmix[starcraft2]', or pip install websocket-client"


class Connection:
    """
    Overview:
        A websocket to one game. Several requests are written at once and answered in their order, which saves waiting
        for each.
    Interfaces:
        ``open``, ``send``, ``receive``, ``ask``, ``patience``, ``close``
    Properties:
        ``n_waiting``
    """

    def __init__(self, answer_timeout: float) -> None:
        """
        Arguments:
            - answer_timeout: [seconds] that an answer may take
        Raises:
            - ImportError: websocket-client is not installed
        """
        self._library = import_websocket()
        self._broken = (OSError, self._library.WebSocketException)
        self._answer_timeout = answer_timeout
        self._socket: Any = None
        self._waiting: deque[int] = deque()  # what was asked and not yet answered

    @property
    def n_waiting(self) -> int:
        """Number of requests not yet answered."""
        return len(self._waiting)

    def open(self, port: int, timeout: float, check_running: Callable[[], None]) -> None:
        """
        Overview:
            Connect to a game that is starting, as soon as it is ready.
        Arguments:
            - port: on this machine
            - timeout: [seconds] that the game may take
            - check_running: raises if the game has ended
        Raises:
            - GameLost: it was not ready in time, or refuses the connection
        """
        url, deadline, said = f'ws://127.0.0.1:{port}/sc2api', time.monotonic() + timeout, ''
        while time.monotonic() < deadline:
            check_running()
            try:
                self._socket = self._library.create_connection(url, timeout=timeout, http_no_proxy=['127.0.0.1'])
                self._set_timeout()
                check_running()  # if not, somebody else has its port
                return
            except self._library.WebSocketBadStatusException as error:
                if error.status_code != _NOT_READY:
                    raise GameLost(f'the game refuses the connection: {error}') from None
                said = f'HTTP status {_NOT_READY}'
            except self._broken as error:
                said = str(error)
            time.sleep(_RETRY_PERIOD)
        raise GameLost(f'the game was not ready after {timeout:g} s ({said})')

    def send(self, requests: Sequence[tuple[int, bytes]]) -> None:
        """
        Overview:
            Write requests, each with what it asks for, at once.
        Raises:
            - GameLost: the connection broke
        """
        frame, binary = self._library.ABNF.create_frame, self._library.ABNF.OPCODE_BINARY
        data = b''.join(frame(message, binary, 1).format() for _, message in requests)
        self._waiting.extend(what for what, _ in requests)
        try:
            self._raw_socket().sendall(data)
        except self._broken as error:
            raise GameLost(f'the connection broke: {error}') from None

    def receive(self) -> Answer:
        """
        Overview:
            Return the answer to the oldest request that waits for one.
        Raises:
            - GameLost: none came in time, the connection broke, or the answer is an error
        """
        what = self._waiting[0]
        self._raw_socket()
        try:
            message = self._socket.recv()
        except self._library.WebSocketTimeoutException:
            raise GameLost(
                f'no answer to {messages.NAMES[what]} within {self._answer_timeout:g} s: the game hangs, or the '
                'machine is too busy for it'
            ) from None
        except self._broken as error:
            raise GameLost(f'the connection broke while {messages.NAMES[what]} was asked: {error}') from None
        self._waiting.popleft()
        if not isinstance(message, bytes):
            message = message.encode()
        if not message:
            raise GameLost(f'the game closed the connection while {messages.NAMES[what]} was asked')
        return messages.read_answer(message, what)

    def ask(self, what: int, message: Optional[bytes] = None) -> Answer:
        """Send one request and return its answer; see ``receive``."""
        self.send([(what, messages.request(what) if message is None else message)])
        return self.receive()

    @contextlib.contextmanager
    def patience(self, timeout: float) -> Iterator[None]:
        """Let answers take longer for a while, [seconds]."""
        usual, self._answer_timeout = self._answer_timeout, timeout
        self._set_timeout()
        try:
            yield
        finally:
            self._answer_timeout = usual
            self._set_timeout()

    def close(self) -> None:
        """Ask the game to quit, without waiting for it, and hang up; a second call does nothing."""
        if self._socket is None:
            return
        try:
            self._socket.settimeout(1.)
            self.send([(messages.QUIT, messages.request(messages.QUIT))])
            self._socket.shutdown()
        except (*self._broken, GameLost) as error:
            logging.getLogger(__name__).debug('closing the connection: %s', error)
        self._socket = None
        self._waiting.clear()

    def _set_timeout(self) -> None:
        if self._socket is not None:
            self._socket.settimeout(self._answer_timeout)

    def _raw_socket(self) -> socket.socket:
        """Return the open socket below. GameLost if there is none."""
        if self._socket is None or self._socket.sock is None:
            raise GameLost('the connection is closed')
        raw: socket.socket = self._socket.sock
        return raw


def import_websocket() -> ModuleType:
    """Return the package websocket-client. ImportError with the command that installs it."""
    try:
        import websocket
    except ImportError:
        raise ImportError(f"backend 'starcraft2' needs websocket-client: {_INSTALL_HINT}") from None
    if not hasattr(websocket, 'create_connection'):
        raise ImportError(
            "backend 'starcraft2' needs websocket-client, but another package named 'websocket' is installed: "
            f'pip uninstall websocket; {_INSTALL_HINT}'
        )
    return websocket
