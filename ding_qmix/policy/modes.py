"""
What the policy shows to the parts of a run: DI-engine's modes, field by field, and after them what our parts need.
DI-engine's own collectors, evaluators and learner see its fields only, so both pipelines take the same modes.
"""
from abc import abstractmethod
from typing import Any, Callable, NamedTuple, Optional

import torch
from ding.policy.base_policy import Policy
from easydict import EasyDict

from ding_qmix.ding_compat import Network, open_checkpoints_as_data
from ding_qmix.policy.actor import RecurrentActor
from ding_qmix.policy.fast_path import GradientPath
from ding_qmix.policy.samples import Sample
from ding_qmix.run_state import RunFiles
from ding_qmix.spec import Actor
from ding_qmix.terminal import RunTerminal


class LearnMode(NamedTuple):
    """``QMIXPolicy.learn_mode``: for the learner and its hooks."""
    forward: Callable[..., dict[str, Any]]
    reset: Callable[..., None]
    info: Callable[[], str]
    monitor_vars: Callable[[], list[str]]
    get_attribute: Callable[[str], Any]
    set_attribute: Callable[[str, Any], None]
    state_dict: Callable[[], dict[str, Any]]
    load_state_dict: Callable[[dict[str, Any]], None]
    run_files: RunFiles  # what is saved of the run, and what it resumes from
    gradient_path: GradientPath  # how gradients are computed, and why
    terminal: Optional[RunTerminal]  # that shows the run's progress; None where DI-engine's log does


class CollectMode(NamedTuple):
    """``QMIXPolicy.collect_mode``: for the collector."""
    forward: Callable[..., dict[int, Any]]
    process_transition: Callable[..., dict[str, Any]]
    get_train_sample: Callable[..., list[dict[str, Any]]]
    reset: Callable[..., None]
    get_attribute: Callable[[str], Any]
    set_attribute: Callable[[str, Any], None]
    state_dict: Callable[[], dict[str, Any]]
    load_state_dict: Callable[[dict[str, Any]], None]
    actor: Actor  # explores
    cut_episode: Callable[[Sample], list[Sample]]  # makes the training samples of one episode
    model_sizes: dict[str, Any]  # policy.model, to be compared with the map
    n_episode: int  # episodes of one collection
    keep_hidden_state: bool  # chunks start from the hidden state of their collection


class EvalMode(NamedTuple):
    """``QMIXPolicy.eval_mode``: for the evaluator."""
    forward: Callable[..., dict[int, Any]]
    reset: Callable[..., None]
    get_attribute: Callable[[str], Any]
    set_attribute: Callable[[str, Any], None]
    state_dict: Callable[[], dict[str, Any]]
    load_state_dict: Callable[[dict[str, Any]], None]
    actor: Actor  # greedy
    network: Network  # that the actor asks
    model_sizes: dict[str, Any]  # policy.model, to be compared with the map
    env_step: Optional[Callable[[], int]] = None  # env steps collected so far; None where no commander tells them


class TypedModePolicy(Policy):
    """
    Overview:
        DI-engine's ``Policy``, whose modes have typed attributes. Where one was built, DI-engine reads checkpoints as
        data, which run nothing.
    Properties:
        ``learn_mode``, ``collect_mode``, ``eval_mode``
    """
    _collect_actor: RecurrentActor
    _eval_actor: RecurrentActor
    _eval_model: Network
    _gradient_path: GradientPath
    _terminal: Optional[RunTerminal] = None

    def __init__(
            self,
            cfg: EasyDict,
            model: Optional[torch.nn.Module] = None,
            enable_field: Optional[list[str]] = None
    ) -> None:
        """As in DI-engine's ``Policy``."""
        open_checkpoints_as_data()  # DI-engine opens them after it has built the policy
        super().__init__(cfg, model, enable_field)

    @property
    def learn_mode(self) -> LearnMode:
        """For the learner and its hooks."""
        return LearnMode(
            **super().learn_mode._asdict(),
            run_files=RunFiles.from_config(self._cfg.learn),
            gradient_path=self._gradient_path,
            terminal=self._terminal,
        )

    @property
    def collect_mode(self) -> CollectMode:
        """For collectors, DI-engine's and ours."""
        cfg = self._cfg.collect
        return CollectMode(
            **super().collect_mode._asdict(),
            actor=self._collect_actor,
            cut_episode=self._cut_episode,
            model_sizes=self._cfg.model,
            n_episode=self._get_n_episode(),
            keep_hidden_state=cfg.unroll_len > 0 and cfg.stored_state,
        )

    @property
    def eval_mode(self) -> EvalMode:
        """For evaluators, DI-engine's and ours."""
        return EvalMode(
            **super().eval_mode._asdict(),
            actor=self._eval_actor,
            network=self._eval_model,
            model_sizes=self._cfg.model,
        )

    @abstractmethod
    def _cut_episode(self, episode: Sample) -> list[Sample]:
        """Make the training samples of one episode."""
