from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ding_qmix.schema import FOLDER, TEXT, Rule, check_section, integer, number, optional, union


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


_SECONDS = number(0., 1e6, 's', above=True)
GAME_RULES: dict[str, Rule] = {  # of the options, in their order
    'version': union(TEXT, integer(1)),
    'path': optional(FOLDER),
    'map_dir': optional(FOLDER),
    'start_timeout': _SECONDS,
    'answer_timeout': _SECONDS,
    'max_failures': integer(1, 10 ** 6),
    'restart_wait': number(0., 1e4, 's'),
    'max_game_loop': integer(1, 2 ** 19, 'game loops'),
}


def make_game_options(given: Mapping[str, Any]) -> GameOptions:
    """
    Overview:
        Return the options with some of them set.
    Raises:
        - ValueError: an unknown option, which is named with the nearest one, or a value out of its range
    """
    check_section('env.game', given, GAME_RULES)
    options = GameOptions(**given)
    return options._replace(version=str(options.version))
