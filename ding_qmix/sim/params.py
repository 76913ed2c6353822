from typing import Any, NamedTuple

from ding_qmix.sim.calibration import Calibration
from ding_qmix.sim.pathing import PathingMap, make_pathing_map
from ding_qmix.sim.placement import spawn_points
from ding_qmix.sim.spawn import InitialState, make_initial_state
from ding_qmix.sim.unit_tables import UnitTables, make_unit_tables
from ding_qmix.smac.action_options import ActionOptions
from ding_qmix.smac.reward import RewardOptions, reward_divisor
from ding_qmix.smac.rules import Rules, agent_order, created_units, make_rules
from ding_qmix.smac.scenarios import Scenario

_DEFAULT_ACTIONS = ActionOptions()


class SimParams(NamedTuple):
    """What never changes while a map is played, for the compiled step."""
    initial: InitialState
    rules: Rules
    tables: UnitTables
    pathing: PathingMap
    calibration: Calibration
    options: RewardOptions
    divisor: float  # [raw reward per scaled reward]


def make_sim_params(
        scenario: Scenario,
        obs_style: str,
        calibration: Calibration,
        options: RewardOptions,
        actions: ActionOptions = _DEFAULT_ACTIONS,
        **view_options: Any
) -> SimParams:
    """Lay a map out for the compiled step; ``view_options`` are those of ``make_rules``."""
    created = created_units(scenario)
    x, y = spawn_points(scenario, calibration)
    order = agent_order(scenario, x, y)
    names = [created[i] for i in order]
    rules = make_rules(scenario, order, obs_style, actions=actions, **view_options)
    return SimParams(
        initial=make_initial_state(scenario, order, x, y),
        rules=rules,
        tables=make_unit_tables(names, scenario.n_agents, actions),
        pathing=make_pathing_map(scenario.terrain),
        calibration=calibration,
        options=options,
        divisor=reward_divisor(rules, options),
    )
