"""Puts together what never changes while a map is played."""
from typing import NamedTuple

from ding_qmix.scenarios import Scenario
from ding_qmix.sim.arsenal import Army, check_simulated, make_army
from ding_qmix.sim.knobs import SimKnobs
from ding_qmix.sim.spawn import Start, make_start, spawn_points
from ding_qmix.smac.reward import RewardOptions, reward_divisor
from ding_qmix.smac.rules import Rules, agent_order, created_units, make_rules


class World(NamedTuple):
    """What the compiled step takes besides the state, in the order of its arguments."""
    start: Start
    rules: Rules
    army: Army
    knobs: SimKnobs
    options: RewardOptions
    divisor: float  # [raw reward per scaled reward]


def make_world(scenario: Scenario, obs_style: str, knobs: SimKnobs, options: RewardOptions) -> World:
    """
    Overview:
        Lay a map out for the compiled step.
    Raises:
        - ValueError: the map has units that are not simulated; the message names them
    """
    created = created_units(scenario)
    check_simulated(scenario.name, created)
    x, y = spawn_points(scenario, knobs)
    order = agent_order(scenario, x, y)
    names = [created[i] for i in order]
    rules = make_rules(scenario, order, obs_style)
    return World(
        start=make_start(scenario, names, x[order], y[order]),
        rules=rules,
        army=make_army(names, scenario.n_agents),
        knobs=knobs,
        options=options,
        divisor=reward_divisor(rules, options),
    )
