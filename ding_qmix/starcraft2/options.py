from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ding_qmix.utils.keys import check_keys


class GameOptions(NamedTuple):
    """How the game is found, started and watched over."""
    version: str = '4.10'  # SMAC's results are of 4.10; also '4.6.2', the number of a build, or 'latest'
    path: Optional[str] = None  # folder of the game; None for SC2PATH, then the usual place
    map_dir: Optional[str] = None  # folder of the maps; None for the game's Maps/SMAC_Maps
    start_timeout: float = 180.  # [seconds] until a started game must listen, and its map be loaded
    answer_timeout: float = 60.  # [seconds] until a request must be answered
    max_failures: int = 5  # a battle whose game fails this often in a row stops the run
    restart_wait: float = 1.  # [seconds] before the second restart in a row; doubles with each, up to 60
    max_game_loop: int = 2 ** 19 - 2 ** 14  # [game loops] after which a new game is begun; at 2 ** 19 the game ends it


def make_game_options(given: Mapping[str, Any]) -> GameOptions:
    """
    Overview:
        Return the options with some of them set.
    Raises:
        - ValueError: an unknown option, which is named with the nearest one, or a number that is not above 0
    """
    check_keys('env.game', given, GameOptions._fields)
    options = GameOptions(**given)
    for name in ('start_timeout', 'answer_timeout', 'max_failures', 'max_game_loop'):
        if not getattr(options, name) > 0:
            raise ValueError(f'config env.game.{name}={getattr(options, name)!r}, expected more than 0')
    if not options.restart_wait >= 0:
        raise ValueError(f'config env.game.restart_wait={options.restart_wait!r}, expected 0 or more')
    return options._replace(version=str(options.version))
