"""
The 23 maps of the StarCraft Multi-Agent Challenge: who fights whom, where, for how long, and how that shapes the data.

Source of counts, spawn points and orders: the maps' archives (oxwhirl/smac smac/env/starcraft2/maps/SMAC_Maps,
MapScript.galaxy and Objects). Source of limits, races and map types: oxwhirl/smac
smac/env/starcraft2/maps/smac_maps.py @ d6aab33. Both were read exactly.
"""
import difflib
from typing import NamedTuple

from ding_qmix.smac.view_options import N_PATHING_POINTS, ViewOptions
from ding_qmix.spec import EnvSpec, ObsLayout

N_ACTIONS_NO_ATTACK = 6  # no-op, stop, north, south, east, west; oxwhirl/smac starcraft2.py
OBS_STYLES = ('ding', 'smac')
_DEFAULT_VIEW = ViewOptions()
_STATE_OPTIONS = slice(ViewOptions._fields.index('obs_instead_of_state'), None)  # the last of ViewOptions

# Order of the unit type one-hot for (allies, enemies); oxwhirl/smac starcraft2.py get_unit_type_id. In maps of stalkers
# and zealots the two sides differ: that is SMAC's own quirk (oxwhirl/smac issue 33).
_TYPE_SLOTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    'stalkers_and_zealots': (('stalker', 'zealot'), ('zealot', 'stalker')),
    'colossi_stalkers_zealots': (('colossus', 'stalker', 'zealot'), ('colossus', 'stalker', 'zealot')),
    'MMM': (('marauder', 'marine', 'medivac'), ('marauder', 'marine', 'medivac')),
    'bane': (('baneling', 'zergling'), ('baneling', 'zergling')),
}


class UnitGroup(NamedTuple):
    """Units of one type created by one call at one point."""
    unit: str  # name in ding_qmix.smac.units.UNIT_NAMES
    n_units: int
    x: float  # [map units]
    y: float  # [map units]


class EnemyOrder(NamedTuple):
    """The one order the enemy gets when it spawns."""
    kind: str  # 'point' (attack-move), 'segment' (attack-move to a random point of it), 'allies' (attack them), 'none'
    points: tuple[tuple[float, float], ...] = ()  # [map units]


class Scenario(NamedTuple):
    """One map."""
    name: str
    terrain: str  # name in ding_qmix.smac.terrain
    episode_limit: int  # [env steps]
    ally_race: str  # 'T', 'P' or 'Z'; a protoss side shows shields in obs and state
    enemy_race: str
    map_type: str  # SMAC's own word; decides type one-hots and the end rules of MMM
    allies: tuple[UnitGroup, ...]  # in order of creation
    enemies: tuple[UnitGroup, ...]
    enemy_order: EnemyOrder

    @property
    def n_agents(self) -> int:
        """Number of allied units, N."""
        return sum(group.n_units for group in self.allies)

    @property
    def n_enemies(self) -> int:
        """Number of enemy units, M."""
        return sum(group.n_units for group in self.enemies)

    @property
    def n_actions(self) -> int:
        """Number of actions of an agent, A; a medivac's attack actions heal allies."""
        return N_ACTIONS_NO_ATTACK + self.n_enemies

    @property
    def ally_slots(self) -> tuple[str, ...]:
        """Unit types in the order of the allies' type one-hot, which also orders the agents; empty without one."""
        return _TYPE_SLOTS.get(self.map_type, ((), ()))[0]

    @property
    def enemy_slots(self) -> tuple[str, ...]:
        """Unit types in the order of the enemies' type one-hot; empty without one."""
        return _TYPE_SLOTS.get(self.map_type, ((), ()))[1]


_WEST, _EAST = (9.0, 16.0), (23.0, 16.0)


def _face_off(
        name: str, limit: int, race: str, map_type: str, allies: str, enemies: str, terrain: str = 'BAND'
) -> Scenario:
    """Return a map on which one side stands in the west and the other attack-moves there from the east."""
    return Scenario(
        name, terrain, limit, race, race, map_type, _groups(allies, *_WEST), _groups(enemies, *_EAST),
        EnemyOrder('point', (_WEST, ))
    )


def _groups(counts: str, x: float, y: float) -> tuple[UnitGroup, ...]:
    """Return the groups of e.g. '7 marine, 2 marauder' at one point."""
    pairs = [part.split() for part in counts.split(',')]
    return tuple(UnitGroup(unit, int(count), x, y) for count, unit in pairs)


_MMM = '7 marine, 2 marauder, 1 medivac'
_FAR_CORNER = EnemyOrder('point', ((4.47, 4.3298), ))
_SCENARIOS: tuple[Scenario, ...] = (
    _face_off('3m', 60, 'T', 'marines', '3 marine', '3 marine'),
    _face_off('8m', 120, 'T', 'marines', '8 marine', '8 marine'),
    _face_off('25m', 150, 'T', 'marines', '25 marine', '25 marine'),
    _face_off('5m_vs_6m', 70, 'T', 'marines', '5 marine', '6 marine'),
    _face_off('8m_vs_9m', 120, 'T', 'marines', '8 marine', '9 marine'),
    _face_off('10m_vs_11m', 150, 'T', 'marines', '10 marine', '11 marine'),
    _face_off('27m_vs_30m', 180, 'T', 'marines', '27 marine', '30 marine'),
    _face_off('MMM', 150, 'T', 'MMM', _MMM, _MMM),
    _face_off('MMM2', 180, 'T', 'MMM', _MMM, '8 marine, 3 marauder, 1 medivac'),
    _face_off('2s3z', 120, 'P', 'stalkers_and_zealots', '2 stalker, 3 zealot', '2 stalker, 3 zealot'),
    _face_off('3s5z', 150, 'P', 'stalkers_and_zealots', '3 stalker, 5 zealot', '3 stalker, 5 zealot'),
    _face_off('3s5z_vs_3s6z', 170, 'P', 'stalkers_and_zealots', '3 stalker, 5 zealot', '3 stalker, 6 zealot'),
    _face_off('3s_vs_3z', 150, 'P', 'stalkers', '3 stalker', '3 zealot', terrain='OPEN'),
    _face_off('3s_vs_4z', 200, 'P', 'stalkers', '3 stalker', '4 zealot', terrain='OPEN'),
    _face_off('3s_vs_5z', 250, 'P', 'stalkers', '3 stalker', '5 zealot', terrain='OPEN'),
    _face_off(
        '1c3s5z', 180, 'P', 'colossi_stalkers_zealots', '1 colossus, 3 stalker, 5 zealot',
        '1 colossus, 3 stalker, 5 zealot'
    ),
    Scenario(
        '2m_vs_1z', 'OCTAGON', 150, 'T', 'P', 'marines',
        (UnitGroup('marine', 1, 13., 12.), UnitGroup('marine', 1, 19., 12.)), _groups('1 zealot', 16., 19.),
        EnemyOrder('segment', ((13., 12.), (19., 12.)))
    ),
    Scenario(
        'corridor', 'CORRIDOR', 400, 'P', 'Z', 'zealots', _groups('6 zealot', 19.0397, 19.1198),
        _groups('24 zergling', 27.91, 28.24), _FAR_CORNER
    ),
    Scenario(
        '6h_vs_8z', 'ROUNDED_BOX_6H', 150, 'Z', 'P', 'hydralisks', _groups('6 hydralisk', 14.5998, 9.49),
        _groups('8 zealot', 14.41, 16.7597), EnemyOrder('point', ((14.5998, 9.49), ))
    ),
    Scenario(
        '2s_vs_1sc',
        'PENTAGON',
        300,
        'P',
        'Z',
        'stalkers',
        # The map says (13.92, 20.0397); recordings show the building on the corner of cells next to it.
        (UnitGroup('stalker', 1, 11.1208, 10.338), UnitGroup('stalker', 1, 16.976, 10.3662)),
        _groups('1 spine_crawler', 14., 20.),
        EnemyOrder('none')
    ),
    Scenario(
        'so_many_baneling', 'DIAGONAL', 100, 'P', 'Z', 'zealots', _groups('7 zealot', 11.469, 12.0234),
        _groups('32 baneling', 27.91, 28.24), _FAR_CORNER
    ),
    Scenario(
        'bane_vs_bane', 'OCTAGON', 200, 'Z', 'Z', 'bane',
        _groups('20 zergling', 16., 11.) + _groups('4 baneling', 16., 8.),
        _groups('20 zergling', 16., 21.) + _groups('4 baneling', 16., 24.), EnemyOrder('point', ((16., 8.), ))
    ),
    Scenario(
        '2c_vs_64zg', 'TWO_LEVEL', 400, 'P', 'Z', 'colossus', _groups('1 colossus, 1 colossus', 16., 16.),
        _groups('64 zergling', 16., 9.), EnemyOrder('allies')
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _SCENARIOS}


def get_scenario(map_name: str) -> Scenario:
    """
    Overview:
        Return the map of this name.
    Raises:
        - ValueError: there is no such map; the message lists the maps and the nearest name
    """
    if map_name in SCENARIOS:
        return SCENARIOS[map_name]
    near = difflib.get_close_matches(str(map_name), SCENARIOS, n=1, cutoff=0.)
    hint = f'; did you mean {near[0]!r}?' if near else '.'
    raise ValueError(f'unknown map {map_name!r}{hint} The maps are: {", ".join(SCENARIOS)}')


def make_spec(
        map_name: str,
        obs_style: str = 'ding',
        backend: str = 'sim',
        backend_version: str = '',
        special_global_state: bool = False,
        view: ViewOptions = _DEFAULT_VIEW
) -> EnvSpec:
    """
    Overview:
        Return everything about a map that fixes the shape of data.
    Arguments:
        - map_name, obs_style: a SMAC map; 'ding' (own last action and agent id appended to obs) or 'smac'
        - backend, backend_version: who plays the battle, and which version of it
        - special_global_state: the state is one view of the battle per agent, as DI-engine's option of that name
        - view: SMAC's options of obs and state
    Raises:
        - ValueError: unknown map or obs style, or special_global_state with an option of the state
    Source: oxwhirl/smac starcraft2.py get_obs_size, get_state_size; DI-engine dizoo/smac/envs/smac_env.py
    """
    scenario = get_scenario(map_name)
    if obs_style not in OBS_STYLES:
        raise ValueError(f'unknown obs_style {obs_style!r}; known: {", ".join(OBS_STYLES)}')
    if special_global_state and view[_STATE_OPTIONS] != _DEFAULT_VIEW[_STATE_OPTIONS]:
        raise ValueError(
            'config env: special_global_state=True lays the state out itself; leave at their defaults: '
            f'{", ".join(ViewOptions._fields[_STATE_OPTIONS])}'
        )
    layout = _obs_layout(scenario, obs_style, view)
    return EnvSpec(
        map_name=map_name,
        n_agents=scenario.n_agents,
        n_enemies=scenario.n_enemies,
        n_actions=scenario.n_actions,
        obs_dim=layout.dim,
        state_dim=_special_state_dim(scenario) if special_global_state else _state_dim(scenario, layout, view),
        episode_limit=scenario.episode_limit,
        obs_style=obs_style,
        obs_layout=layout,
        backend=backend,
        backend_version=backend_version,
        special_global_state=bool(special_global_state),
    )


def _obs_layout(scenario: Scenario, obs_style: str, view: ViewOptions) -> ObsLayout:
    """Return the block lengths: 4 relative features and health, shield if protoss, type if one-hots are shown."""
    ally_vitals, enemy_vitals = 1 + (scenario.ally_race == 'P'), 1 + (scenario.enemy_race == 'P')
    ally_bits, enemy_bits = len(scenario.ally_slots), len(scenario.enemy_slots)
    ding = obs_style == 'ding'
    return ObsLayout(
        move=4 + view.obs_pathing_grid * N_PATHING_POINTS,
        enemy=(scenario.n_enemies, 4 + view.obs_all_health * enemy_vitals + enemy_bits),
        ally=(
            scenario.n_agents - 1,
            4 + view.obs_all_health * ally_vitals + ally_bits + view.obs_last_action * scenario.n_actions
        ),
        own=view.obs_own_health * ally_vitals + ally_bits,
        timestep=int(view.obs_timestep_number),
        last_action=scenario.n_actions if ding else 0,
        agent_id=scenario.n_agents if ding else 0,
    )


def _state_dim(scenario: Scenario, layout: ObsLayout, view: ViewOptions) -> int:
    """Return the length of the state: ally rows, enemy rows, last-action one-hots, or all agents' obs."""
    if view.obs_instead_of_state:
        return scenario.n_agents * layout.dim
    ally = 4 + (scenario.ally_race == 'P') + len(scenario.ally_slots) + view.state_last_action * scenario.n_actions
    enemy = 3 + (scenario.enemy_race == 'P') + len(scenario.enemy_slots)
    return scenario.n_agents * ally + scenario.n_enemies * enemy + view.state_timestep_number


def _special_state_dim(scenario: Scenario) -> int:
    """Return the length of all agents' views: other allies, enemies, the agent itself, its id."""
    own = 7 + (scenario.ally_race == 'P') + len(scenario.ally_slots) + scenario.n_actions
    enemy = 8 + (scenario.enemy_race == 'P') + len(scenario.enemy_slots)
    view = (scenario.n_agents - 1) * (own + 1) + scenario.n_enemies * enemy + own + scenario.n_agents
    return scenario.n_agents * view
