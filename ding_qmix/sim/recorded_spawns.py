"""
Where units stand at the start as recordings of the game show it, for what no rule was found.

Sources: replays of SC2 4.10, miruyoun/PyMARL_RL_Project@b901bde (2s3z, MMM2: 64 and 96 episodes; corridor: 64); whole
states, LAMDA-RL/ODIS@5f943fa (3m, 2,000 episodes) and ChristianLin0420/universalMARL@d637298 (3s_vs_4z, 999); first
observation of BachWV/smac@a2f482d (MMM).
"""
from typing import NamedTuple

_MARAUDERS = ((-.8311, .9661), (-.831, -.9665))
_MMM = (('marine', 7), ('marauder', 2), ('medivac', 1))

# Where several types stand round one point, [map units] from it, by map and by the side's groups.
OFFSETS: dict[tuple[str, tuple[tuple[str, int], ...]], dict[str, tuple[tuple[float, float], ...]]] = {
    ('2s3z', (('stalker', 2), ('zealot', 3))): {
        'zealot': ((.9414, -.4946), (.7517, .7517), (-.752, .7517))
    },
    ('MMM', _MMM): {
        'marauder': _MARAUDERS
    },
    ('MMM2', _MMM): {
        'marauder': (_MARAUDERS[0], (-1.125, -1.125))
    },
}


class Variant(NamedTuple):
    """A place where an ally stood in some of the recorded episodes, instead of its commonest one."""
    unit: int  # in order of creation
    share: float  # of the episodes
    x: float  # [map units]
    y: float  # [map units]


# By map, a unit's variants one after the other; those seen in 2 of 999 episodes or more.
# On corridor and MMM2 others vary, too, most of their places being seen once.
VARIANTS: dict[str, tuple[Variant, ...]] = {
    '3m': (Variant(2, 47 / 2000, 9.677, 15.875), ),
    '3s_vs_4z': (Variant(2, 2 / 999, 9., 17.1885), ),
    '2s3z': (Variant(2, 28 / 64, 9.9194, 15.3455), Variant(4, 6 / 64, 8.5, 17.)),
    'MMM2': (
        Variant(8, 13 / 89, 8.1692, 15.0334),
        Variant(8, 9 / 89, 9., 17.6875),
        Variant(8, 7 / 89, 8.0334, 15.1692),
        Variant(9, 9 / 92, 9.3098, 15.6321),
        Variant(9, 7 / 92, 9.3359, 15.6235),
        Variant(9, 6 / 92, 9.26, 15.5908),
    ),
    'corridor': (
        Variant(5, 5 / 55, 18.0398, 20.1199),
        Variant(5, 5 / 55, 20.0398, 20.1199),
        Variant(5, 3 / 55, 18.0398, 18.1199),
    ),
}
