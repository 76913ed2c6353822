"""
What travels between the packages: shapes of a map, one batched env step, one training batch.

Axes: E parallel envs, B episodes of a train batch, T time, N agents, M enemies, U = N + M units, A actions,
O obs features, S state features, H hidden features.
"""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class ObsLayout(NamedTuple):
    """Lengths of the blocks of one agent's observation, in the order in which they are laid out; [features]."""
    move: int  # legal move directions, north south east west; then SMAC's pathing points where shown
    enemy: tuple[int, int]  # (n_enemies, features per enemy)
    ally: tuple[int, int]  # (n_agents - 1, features per other ally)
    own: int  # the agent itself
    last_action: int  # one-hot of the agent's own last action; 0 in style 'smac'
    agent_id: int  # one-hot of the agent's id; 0 in style 'smac'
    timestep: int = 0  # fraction of the episode limit that has passed; stands behind ``own``

    @property
    def dim(self) -> int:
        """Total number of observation features, O."""
        return (
            self.move + self.enemy[0] * self.enemy[1] + self.ally[0] * self.ally[1] + self.own + self.timestep +
            self.last_action + self.agent_id
        )

    @property
    def ally_block(self) -> tuple[int, int]:
        """Where the features of the other allies begin and end."""
        start = self.move + self.enemy[0] * self.enemy[1]
        return start, start + self.ally[0] * self.ally[1]


class EnvSpec(NamedTuple):
    """Everything about a map that fixes the shape of data."""
    map_name: str
    n_agents: int  # N
    n_enemies: int  # M
    n_actions: int  # A = 6 + number of attack (or heal) targets
    obs_dim: int  # O
    state_dim: int  # S
    episode_limit: int  # [env steps]
    obs_style: str  # 'ding' (last action and agent id appended) or 'smac'
    obs_layout: ObsLayout
    backend: str  # 'sim' or 'starcraft2'
    backend_version: str  # SIM_VERSION, or the StarCraft II build; stands in every result
    special_global_state: bool = False  # state is N views of S / N features, one per agent, laid end to end

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of one env's state: (S, ), or (N, S / N) where each agent has a view of its own."""
        return (self.n_agents, self.state_dim // self.n_agents) if self.special_global_state else (self.state_dim, )


class VecStep(NamedTuple):
    """
    What a batched env shows after ``reset`` or ``step``.

    ``reward`` and the flags tell what the last call played: where it played nothing (``reset``, an env that is False in
    ``active``, a loaded state) they are 0 and False.

    Auto-reset: where an episode ends (``terminated | truncated``), ``reward``, the flags, ``dead_*``, ``episode_*`` and
    the ``final_*`` rows belong to the ended episode, and ``obs``, ``state``, ``action_mask`` already are the first of
    the next one. ``final_*`` rows are defined only where an episode ended in this step.

    Lost episodes: an env that cannot play on, as its game hangs, dies or answers nonsense, is restarted, and ``lost``
    tells it. The episode that ran counts for nothing: the other flags are False, ``reward``, ``dead_*`` and
    ``episode_*`` 0, ``final_*`` is not defined, and ``obs``, ``state``, ``action_mask`` already are the first of a new
    episode. It may be set for envs that were not asked to play as well. The simulator loses none.

    ``dead_*`` and ``episode_*`` begin anew with the env's next step or reset. An env that is not played keeps those it
    has, also those of an episode that has ended.

    The arrays are the env's own, read-only for the caller and overwritten by its next call: copy what must last longer.
    """
    obs: np.ndarray  # float32 [E, N, O]
    state: np.ndarray  # float32 [E, S]
    action_mask: np.ndarray  # bool [E, N, A], True = legal
    reward: np.ndarray  # float32 [E], SMAC's scale: a clean win sums to about 20
    terminated: np.ndarray  # bool [E], the battle was decided in this step
    truncated: np.ndarray  # bool [E], the episode limit was reached with the battle undecided
    won: np.ndarray  # bool [E], the allies won in this step
    lost: np.ndarray  # bool [E], the env was restarted: the running episode is dropped
    dead_allies: np.ndarray  # int32 [E], after this step, of the episode the reward belongs to
    dead_enemies: np.ndarray  # int32 [E]
    episode_len: np.ndarray  # int64 [E], [env steps] of the episode the reward belongs to, this step included
    episode_return: np.ndarray  # float64 [E], sum of that episode's rewards, this step's included
    final_obs: np.ndarray  # float32 [E, N, O]
    final_state: np.ndarray  # float32 [E, S]
    final_action_mask: np.ndarray  # bool [E, N, A]


class EnvFailure(RuntimeError):
    """An env broke: it hung, died or could not be restarted. Not what a caller's mistake raises."""


class VecEnv(Protocol):
    """
    A batch of E battles on one map. Implemented by the simulator and by the real game.

    Env i draws from a generator of its own: it plays the same episodes for the same seed and actions, whatever its
    neighbours do and how many they are. No env can be stepped before its first ``reset``.

    An env that hangs, beyond a time limit of the VecEnv's own, or dies is the VecEnv's to restart. Where it does so in
    ``step``, it sets ``lost``; in ``reset`` the new episode is simply begun. What cannot be restarted raises
    ``EnvFailure``.
    """
    spec: EnvSpec
    n_envs: int  # E

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Begin a new episode in all envs, or in those of ``env_ids`` (int [k]), which drop the one that runs. There
            dead units, length and return are 0. The others are left as they are: reward 0, no flag set, all else as
            before.
        Raises:
            - IndexError: an env id is out of range
            - EnvFailure: the batch is broken, and is to be closed
        """

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """
        Overview:
            Play one decision. An env that ends its episode begins the next one at once. Envs that are False in
            ``active`` are left as they are: reward 0, no flag set, all else as before; their actions do not matter.
        Shapes:
            - actions: int64 [E, N], legal by the ``action_mask`` shown last
            - active: bool [E], None for all
        Raises:
            - TypeError, ValueError: wrong dtype or shape, or an illegal action of an active env; nothing was played
            - RuntimeError: an active env was never reset
            - EnvFailure: the batch is broken, and is to be closed
        """

    def lost_cause(self, env_id: int) -> str:
        """Return why an env's latest ``lost`` episode could not be played on, '' if it has lost none."""

    def observe(self) -> VecStep:
        """
        Return what the env shows without changing it: what the last ``reset`` or ``step`` returned; after
        ``load_state_dict`` the running episodes, with reward 0 and no flag set.
        """

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """
        Overview:
            Seed each env's own generator; takes effect when the env's next episode begins, by ``reset`` or by itself.
        Arguments:
            - seeds: int [E], or one per entry of ``env_ids``
            - env_ids: int [k], None for all
        Raises:
            - ValueError: not one seed per env, or a seed out of range
            - IndexError: an env id is out of range
        """

    def units(self) -> 'UnitSnapshot':
        """Copy the unit tables of the running episodes: the next ones' where an episode has just ended."""

    def final_units(self) -> 'UnitSnapshot':
        """
        Copy the unit tables as they were when the envs' last episodes ended. Rows are defined only where an episode
        ended in the last step.
        """

    def state_dict(self) -> dict:
        """Return everything that changes, generators included; what was shown of ended episodes is no part of it."""

    def load_state_dict(self, state_dict: dict) -> None:
        """
        Overview:
            Restore what ``state_dict`` returned, in the midst of its episodes; ``observe`` shows them.
        Raises:
            - ValueError: it is of another map, backend version or number of envs
        """

    def close(self) -> None:
        """Release processes and memory; a second call does nothing."""


class EpisodeStats(NamedTuple):
    """What n episodes came to, one entry per episode."""
    episode_return: np.ndarray  # float64 [n], sum of rewards
    won: np.ndarray  # bool [n]
    truncated: np.ndarray  # bool [n], ended by the time limit
    length: np.ndarray  # int64 [n], [env steps]
    dead_allies: np.ndarray  # int32 [n]
    dead_enemies: np.ndarray  # int32 [n]
    n_lost: np.ndarray  # int64 [n], earlier episodes in its place that were lost


class Actor(Protocol):
    """Acts for many envs at once. Implemented by the policy."""

    def act(self,
            obs: 'Tensor',
            action_mask: 'Tensor',
            env_ids: np.ndarray,
            epsilon: float = 0.) -> tuple['Tensor', 'Tensor']:
        """
        Pick actions int64 [K, N] for the envs ``env_ids`` (int [K]) from obs float [K, N, O] and action_mask bool
        [K, N, A]; also return the hidden state [K, N, L, H] that the decision was made from.
        """

    def reset(self, env_ids: Optional[np.ndarray] = None) -> None:
        """Forget the hidden state of the given envs, or of all."""


class UnitSnapshot(NamedTuple):
    """Copy of the unit tables of E battles; allies are rows 0..N-1, enemies N..U-1."""
    unit_type: np.ndarray  # int32 [E, U], index into ding_qmix.smac.units.UNIT_NAMES
    x: np.ndarray  # float64 [E, U], [map units]
    y: np.ndarray  # float64 [E, U], [map units]
    health: np.ndarray  # float64 [E, U], [hit points], 0 when dead
    shield: np.ndarray  # float64 [E, U], [shield points]
    energy: np.ndarray  # float64 [E, U], [energy points]
    cooldown: np.ndarray  # float64 [E, U], [game loops] until the weapon is ready
    alive: np.ndarray  # bool [E, U]
    target: np.ndarray  # int32 [E, U], unit that the unit attacks or heals, or is on its way to; -1 none


class EpisodeBatch(NamedTuple):
    """
    A training batch of whole episodes or chunks, time first, padded to the longest. The policy's updates take the
    longest episode first; other orders are sorted on the way.

    Row t of ``obs``, ``state`` and ``action_mask`` is what the agents saw before action t; row T of an episode of
    length T is what they saw after its last action, so each has one row more than ``action``.
    """
    obs: 'Tensor'  # float [T + 1, B, N, O]
    state: 'Tensor'  # float [T + 1, B, S]
    action_mask: 'Tensor'  # bool [T + 1, B, N, A], all True on padding
    action: 'Tensor'  # int64 [T, B, N]
    reward: 'Tensor'  # float [T, B]
    terminated: 'Tensor'  # float [T, B], 1. where the battle was decided
    truncated: 'Tensor'  # float [T, B], 1. where the time limit ended the episode
    mask: 'Tensor'  # float [T, B], 1. on real steps, 0. on padding and on burn-in
    length: 'Tensor'  # int64 [B], [env steps] up to the last real one; lengths of the whole arrays are T
    hidden_state: Optional['Tensor'] = None  # float [B, N, L, H] before step 0 (L state tensors: GRU 1, LSTM 2)
    weight: Optional['Tensor'] = None  # float [B], importance weights of prioritised replay

    def map(self, function: Callable[['Tensor'], Any]) -> 'EpisodeBatch':
        """Return the batch with a function applied to every field that there is."""
        return EpisodeBatch._make(None if value is None else function(value) for value in self)


class PrioritizedBatch(list):
    """
    Overview:
        A batch of prioritised replay. DI-engine's learner reads it as a list of samples, to hand their new priorities
        to the buffer: one dict per sample, with its id under both names that the learner knows.
    Properties:
        ``batch``
    """

    def __init__(self, batch: EpisodeBatch, ids: Sequence[int]) -> None:
        """
        Arguments:
            - batch: with importance weights
            - ids: of the batch's samples, in its order
        """
        super().__init__({'replay_buffer_idx': i, 'replay_unique_id': i} for i in ids)
        self.batch = batch
