"""
The one door to ``fast_cpu``: whether networks run by its kernels or by plain torch, and the check that both agree.
Without that package everything goes by plain torch.
"""
from functools import partial
from typing import Any, Callable, NamedTuple, Optional, Protocol

import torch
from easydict import EasyDict
from torch import Tensor

from ding_qmix.ding_compat import Network
from ding_qmix.model import QMix
from ding_qmix.policy.autograd import AutogradGradient
from ding_qmix.rl_utils import TDSums
from ding_qmix.spec import EpisodeBatch

try:
    from ding_qmix.fast_cpu import CPUAgent, CPUGradient, why_not_agent, why_not_network
    _INSTALLED = True
except ModuleNotFoundError as error:
    if error.name != 'ding_qmix.fast_cpu':
        raise
    _INSTALLED = False

GRADIENTS = ('auto', 'autograd', 'cpu')
_TOLERANCE = 1e-4  # of the largest entry; float32 in another order of sums differs by some 1e-6
_LENGTHS = (3, 2)  # [env steps] of the episodes that both paths are tried on


class ShardGradient(Protocol):
    """What computes the gradient of a shard; one object serves one thread."""

    def gradient(self, batch: EpisodeBatch, episode: Tensor, n_steps: Tensor) -> tuple[Tensor, TDSums]:
        """See ``AutogradGradient.gradient``."""


class GradientPath(NamedTuple):
    """How a policy computes its gradients."""
    name: str  # 'cpu': by the kernels of fast_cpu; 'autograd': by policy/loss.py and autograd
    reason: str  # for the log
    make: Callable[[], ShardGradient]


def choose_gradient(online: Network, target: Network, cfg: EasyDict) -> GradientPath:
    """
    Overview:
        Choose how a pair of networks is trained, as ``learn.gradient`` asks: 'auto' takes the kernels where they are
        for these networks, after a check on a tiny batch.
    Arguments:
        - cfg: section ``policy.learn``
    Raises:
        - ValueError: 'cpu' is asked for, but the kernels are not for these networks
        - RuntimeError: the kernels give another gradient than ``qmix_loss``
    """
    options = dict(
        gamma=cfg.discount_factor,
        td_lambda=cfg.td_lambda,
        double_q=cfg.double_q,
        timeout_is_terminal=cfg.timeout_is_terminal
    )
    autograd = partial(AutogradGradient, online, target, bf16=cfg.bf16, **options)
    if cfg.gradient == 'autograd':
        return GradientPath('autograd', 'learn.gradient asks for it', autograd)
    why_not = _why_not(online, target, cfg.bf16)
    if why_not is None and isinstance(online, QMix) and isinstance(target, QMix):
        kernels = partial(CPUGradient, online, target, **options)
        _check_same_gradient(kernels(), autograd(), tiny_batch(online))
        return GradientPath('cpu', 'equals autograd on a tiny batch', kernels)
    if cfg.gradient == 'cpu':
        raise ValueError(f"config policy.learn.gradient: 'cpu', but {why_not}; set 'auto' or 'autograd'")
    return GradientPath('autograd', str(why_not), autograd)


def make_fast_agent(network: Network) -> Optional['CPUAgent']:
    """
    Overview:
        Return the agents' network by kernels, for acting; None where they are not for it.
    Raises:
        - RuntimeError: the kernels give other Q-values than the network
    """
    if not _INSTALLED or not isinstance(network, QMix) or why_not_agent(network.agent) is not None:
        return None
    agent, batch = CPUAgent(network.agent), tiny_batch(network)
    with torch.no_grad():
        expected, _ = network.q_values(batch.obs[:1])  # [1, B, N, A]
    rows, hidden = batch.obs[0].flatten(0, 1), network.initial_state(len(_LENGTHS)).flatten(0, 2)  # [K, O], [K, H]
    q_values, _ = agent.forward(rows.numpy(), torch.tensor([0, len(rows)]).numpy(), hidden.numpy())
    _check_close('Q-values', torch.from_numpy(q_values), expected.flatten(0, 2))
    return agent


def tiny_batch(network: Any) -> EpisodeBatch:
    """Return two short random episodes in the shapes of a ``QMix``, the first ended by the battle, the second cut."""
    generator = torch.Generator().manual_seed(0)
    T, B, N, A = max(_LENGTHS), len(_LENGTHS), network.n_agents, network.n_actions
    mask = (torch.arange(T).unsqueeze(1) < torch.tensor(_LENGTHS)).float()  # [T, B]
    action_mask = torch.rand(T + 1, B, N, A, generator=generator) < 0.5
    action_mask[..., 0] = True
    terminated = torch.zeros(T, B)
    terminated[_LENGTHS[0] - 1, 0] = 1.
    return EpisodeBatch(
        obs=torch.randn(T + 1, B, N, network.obs_dim, generator=generator),
        state=torch.randn(T + 1, B, network.state_dim, generator=generator),
        action_mask=action_mask,
        action=torch.randint(A, (T, B, N), generator=generator),
        reward=torch.randn(T, B, generator=generator),
        terminated=terminated,
        truncated=torch.zeros(T, B),
        mask=mask,
        length=torch.tensor(_LENGTHS),
    )


def _why_not(online: Network, target: Network, bf16: bool) -> Optional[str]:
    """Why the kernels are not for a pair of networks; None if they are."""
    if not _INSTALLED:
        return 'ding_qmix.fast_cpu is not installed'
    if bf16:
        return 'learn.bf16 is on, the kernels compute in float32'
    if any(not p.requires_grad for p in online.parameters()):
        return 'a parameter is frozen, the kernels train all'
    return why_not_network(online) or why_not_network(target)


def _check_same_gradient(kernels: ShardGradient, autograd: ShardGradient, batch: EpisodeBatch) -> None:
    """RuntimeError if two paths disagree on a batch."""
    episodes, n_steps = torch.arange(len(batch.length)), batch.mask.sum()
    (gradient, sums), (expected, expected_sums) = (g.gradient(batch, episodes, n_steps) for g in (kernels, autograd))
    _check_close('gradient', gradient, expected)
    _check_close('loss', sums.loss, expected_sums.loss)


def _check_close(what: str, got: Tensor, expected: Tensor) -> None:
    difference, scale = float((got - expected).abs().max()), float(expected.abs().max())
    if not difference <= _TOLERANCE * scale:
        raise RuntimeError(
            f'the CPU kernels give another {what} than plain torch for this model: off by {difference:.3g} where the '
            f"largest is {scale:.3g}; the model computes what the kernels do not know: set policy.learn.gradient="
            "'autograd', or teach ding_qmix.fast_cpu the change"
        )
