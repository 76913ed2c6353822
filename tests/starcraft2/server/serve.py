"""
Speaks the protocol of StarCraft II over the simulator. Started as the game is:

    serve.py -listen 127.0.0.1 -port PORT -dataDir FOLDER/ -tempDir FOLDER/ [-dataVersion HASH]
"""
import argparse
import socket
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _import_simulator_alone() -> None:
    """Let ``ding_qmix.sim`` be imported without what ``ding_qmix`` itself imports: torch and DI-engine take seconds."""
    package = types.ModuleType('ding_qmix')
    package.__path__ = [str(ROOT / 'ding_qmix')]
    sys.modules['ding_qmix'] = package


def _serve() -> None:
    """Serve one client until it asks to quit or hangs up, as the game does."""
    parser = argparse.ArgumentParser()
    for name in ('-listen', '-port', '-dataDir', '-tempDir', '-dataVersion'):
        parser.add_argument(name, default='')
    arguments = parser.parse_args()
    root, temp_dir = Path(arguments.dataDir), Path(arguments.tempDir)
    if not (root.is_dir() and temp_dir.is_dir() and arguments.dataDir.endswith('/')):
        sys.exit(f'no data in {root}, or no temporary folder {temp_dir}')
    (temp_dir / 'GameData').write_text('what a game leaves behind')
    faults = Faults(root)
    ready_after = faults.at_start()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((arguments.listen, int(arguments.port)))
        listener.listen()
        line = accept(listener, ready_after)
        GameServer(line, faults, arguments.dataVersion).run()


if __name__ == '__main__':
    _import_simulator_alone()
    from game_faults import Faults
    from game_server import GameServer
    from websocket_line import accept
    _serve()
