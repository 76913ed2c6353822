"""What goes wrong with the game."""
from ding_qmix.spec import EnvFailure


class GameRefused(RuntimeError):
    """The game cannot be played as it is installed: trying again would not help."""


class GameLost(EnvFailure):
    """A running game broke: it ended, does not answer, or answers errors. Another one may do."""


class WireError(GameLost):
    """The game sent bytes that are no message."""
