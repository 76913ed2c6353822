"""
Terrain of the SMAC maps: the cells on which a ground unit can stand.

Cell (i, j) covers [i, i + 1) x [j, j + 1) map units, x to the right, y up.

Source: cliff levels of the maps' archives (oxwhirl/smac smac/env/starcraft2/maps/SMAC_Maps, t3SyncCliffLevel). A cell
is pathable if its level is above 0 and it is no closer than 2 cells to the edge of the map; on the low side of an
inner cliff it is not. For BAND the rule gives the pathing grid that a live client reports (oxwhirl/smac issue 11) bit
for bit; for the others it is an extrapolation, weakest for CORRIDOR (the width of its choke) and TWO_LEVEL.
"""

import numpy as np

MAP_SIZE = 32  # [cells] along x and y, all maps; MapInfo

# Rows from y = 0 upwards as (how many alike, 32-bit word); the most significant bit is x = 0.
_PATHABLE_ROWS: dict[str, tuple[tuple[int, int], ...]] = {
    'BAND': ((7, 0x0), (18, 0x3ffffffc), (7, 0x0)),
    'OPEN': ((2, 0x0), (28, 0x3ffffffc), (2, 0x0)),
    'OCTAGON': (
        (5, 0x0), (1, 0x007ffe00), (1, 0x00ffff00), (1, 0x01ffff80), (1, 0x03ffffc0), (14, 0x07ffffe0), (1, 0x03ffffc0),
        (1, 0x01ffff80), (1, 0x00ffff00), (1, 0x007ffe00), (5, 0x0)
    ),
    'CORRIDOR': (
        (2, 0x0), (1, 0x3ffe0000), (1, 0x3ffc0000), (6, 0x3ff80000), (1, 0x3ffc0000), (1, 0x3ffe0000), (1, 0x3fff0000),
        (1, 0x003fffe0), (1, 0x001ffff0), (1, 0x000ffff8), (1, 0x000ffffc), (6, 0x001ffffc), (1, 0x000ffffc),
        (1, 0x0007fffc), (1, 0x0003fffc), (1, 0x0001fffc), (1, 0x0000fffc), (1, 0x00007ffc), (1, 0x00003ffc), (2, 0x0)
    ),
    'ROUNDED_BOX_6H': (
        (7, 0x0), (1, 0x007ff800), (1, 0x00fffc00), (10, 0x01fffe00), (1, 0x00fffc00), (1, 0x007ff800), (11, 0x0)
    ),
    'PENTAGON': (
        (7, 0x0), (14, 0x01fff800), (1, 0x00fff000), (1, 0x007fe000), (1, 0x003fc000), (1, 0x001f8000), (7, 0x0)
    ),
    'DIAGONAL': (
        (2, 0x0), (1, 0x3fc00000), (3, 0x3ff80000), (1, 0x3ffc0000), (3, 0x3fff8000), (1, 0x1fffc000), (2, 0x1ffff800),
        (1, 0x03fff800), (2, 0x01fff800), (1, 0x01fffc00), (1, 0x00ffffe0), (1, 0x007fffe0), (1, 0x000fffe0),
        (1, 0x0007fff0), (2, 0x0007fffc), (1, 0x0003fffc), (1, 0x0001fffc), (1, 0x00003ffc), (3, 0x00001ffc),
        (1, 0x00000ffc), (2, 0x0)
    ),
    'TWO_LEVEL': (
        (5, 0x0), (1, 0x1ffffff8), (6, 0x3ffffffc), (1, 0x3000000c), (6, 0x3ffffffc), (1, 0x31ffff8c), (1, 0x1dffffb8),
        (11, 0x0)
    ),
}

# Terrain on which the straight way between two cells may be blocked by more than the stairs of a slanting edge.
WINDING = frozenset(('CORRIDOR', 'DIAGONAL', 'TWO_LEVEL'))

# Cells that only units which walk cliffs can stand on besides: the slope of the inner cliff.
_CLIFF_ROWS: dict[str, tuple[tuple[int, int], ...]] = {
    'TWO_LEVEL': ((12, 0x0), (1, 0x0ffffff0), (6, 0x0), (1, 0x0e000070), (1, 0x02000040), (11, 0x0)),
}


def pathing_grid(terrain: str) -> np.ndarray:
    """
    Overview:
        Return which cells of a terrain a ground unit can stand on.
    Shapes:
        - returns: bool [MAP_SIZE, MAP_SIZE], indexed [x, y]
    """
    return _unpack(_PATHABLE_ROWS[terrain])


def cliff_grid(terrain: str) -> np.ndarray:
    """
    Overview:
        Return the cells of inner cliffs, which only a colossus can stand on.
    Shapes:
        - returns: bool [MAP_SIZE, MAP_SIZE], indexed [x, y]
    """
    return _unpack(_CLIFF_ROWS.get(terrain, ((MAP_SIZE, 0x0), )))


def _unpack(rows: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Return rows of words as a grid, bool [MAP_SIZE, MAP_SIZE]."""
    words = [word for count, word in rows for _ in range(count)]
    grid = np.zeros((MAP_SIZE, MAP_SIZE), dtype=np.bool_)
    for y, word in enumerate(words):
        for x in range(MAP_SIZE):
            grid[x, y] = (word >> (MAP_SIZE - 1 - x)) & 1
    return grid
