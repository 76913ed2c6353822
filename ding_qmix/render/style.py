"""How a battle looks: colours, and the icon of each unit type."""
from typing import NamedTuple

Color = tuple[int, int, int]

PAPER: Color = (23, 26, 32)  # around the map
PATHABLE: Color = (52, 58, 66)
GRID_LINE: Color = (58, 65, 74)
ROCK: Color = (32, 36, 42)
CLIFF: Color = (74, 66, 58)  # only a colossus can stand there
INK: Color = (226, 230, 235)
FAINT_INK: Color = (140, 148, 158)
ALLY: Color = (72, 144, 255)
ENEMY: Color = (238, 84, 72)
ALLY_SHOT: Color = (150, 200, 255)
ENEMY_SHOT: Color = (255, 168, 88)
HEALING: Color = (92, 226, 132)
SHIELD: Color = (96, 214, 240)
ENERGY: Color = (196, 128, 255)
LIFE_HIGH: Color = (86, 206, 98)
LIFE_MID: Color = (240, 200, 70)
LIFE_LOW: Color = (240, 90, 70)
BAR_EMPTY: Color = (16, 18, 22)
Q_LOW: Color = (38, 46, 80)
Q_HIGH: Color = (250, 214, 92)
PALETTE_BASE = (
    PAPER, PATHABLE, GRID_LINE, ROCK, CLIFF, INK, FAINT_INK, ALLY, ENEMY, ALLY_SHOT, ENEMY_SHOT, HEALING, SHIELD,
    ENERGY, LIFE_HIGH, LIFE_MID, LIFE_LOW, BAR_EMPTY, Q_LOW, Q_HIGH
)


class Icon(NamedTuple):
    """How a unit type is drawn."""
    letter: str
    n_sides: int  # of its outline, 0 for a circle
    turn: float  # [turns] by which the outline is rotated


ICONS: dict[str, Icon] = {
    'marine': Icon('m', 0, 0.),
    'marauder': Icon('M', 6, 0.),
    'medivac': Icon('+', 8, 1 / 16),
    'stalker': Icon('S', 4, 0.),
    'zealot': Icon('Z', 5, 1 / 20),
    'colossus': Icon('C', 8, 0.),
    'zergling': Icon('z', 3, 1 / 12),
    'baneling': Icon('b', 0, 0.),
    'hydralisk': Icon('h', 4, 1 / 8),
    'spine_crawler': Icon('X', 6, 1 / 12),
}


def blend(color: Color, other: Color, share: float) -> Color:
    """Return a mix with this share (fraction) of the first colour."""
    mixed = [round(share * c + (1. - share) * o) for c, o in zip(color, other)]
    return mixed[0], mixed[1], mixed[2]
