"""Allocates the arrays of the simulator, once: state, scratch memory, and what is shown to the caller."""
import numpy as np

from ding_qmix.sim.state import N_DECISION, N_FLOATS, N_INTS, N_PHYSICAL, FinalUnits, Output, Request, Scratch, SimState
from ding_qmix.smac.units import N_FIELDS
from ding_qmix.smac.vec_step import make_step
from ding_qmix.spec import EnvSpec


def make_state(n_envs: int, spec: EnvSpec) -> SimState:
    """Return the state of E battles, none begun."""
    n_units = spec.n_agents + spec.n_enemies
    return SimState(
        unit=np.zeros((n_envs, N_FIELDS, n_units)),
        unit_at=_in_order(n_envs, n_units),
        physical=np.zeros((n_envs, N_PHYSICAL, n_units)),
        decision=np.zeros((n_envs, N_DECISION, n_units), dtype=np.int32),
        rng=np.ones(n_envs, dtype=np.uint64),
        next_rng=np.zeros(n_envs, dtype=np.uint64),
        last_action=np.full((n_envs, spec.n_agents), -1, dtype=np.int32),
        episode_step=np.zeros(n_envs, dtype=np.int64),
        episode_return=np.zeros(n_envs),
    )


def make_request(n_envs: int, spec: EnvSpec) -> Request:
    """Return memory for what is asked of E battles."""
    return Request(
        active=np.zeros(n_envs, dtype=np.bool_),
        actions=np.zeros((n_envs, spec.n_agents), dtype=np.int64),
    )


def make_scratch(n_envs: int, spec: EnvSpec) -> Scratch:
    """Return memory in which E battles can work."""
    width = spec.n_agents + spec.n_enemies + 4
    return Scratch(
        floats=np.zeros((n_envs, N_FLOATS, width)),
        ints=np.zeros((n_envs, N_INTS, width), dtype=np.int32),
    )


def make_output(n_envs: int, spec: EnvSpec) -> Output:
    """Return memory for what E battles show."""
    return Output(make_step(n_envs, spec), _make_final_units(n_envs, spec))


def _make_final_units(n_envs: int, spec: EnvSpec) -> FinalUnits:
    """Return memory for the units of E ended episodes."""
    n_units = spec.n_agents + spec.n_enemies
    return FinalUnits(
        unit=np.zeros((n_envs, N_FIELDS, n_units)),
        unit_at=_in_order(n_envs, n_units),
        target=np.full((n_envs, n_units), -1, dtype=np.int32),
    )


def _in_order(n_envs: int, n_units: int) -> np.ndarray:
    """Return int32 [E, U]: each unit is where its number is."""
    return np.tile(np.arange(n_units, dtype=np.int32), (n_envs, 1))
