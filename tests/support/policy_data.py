"""Shared by the tests of the algorithm's side: small policies and random episodes for them."""
from typing import Any, Optional

import torch
from ding.policy.qmix import QMIXPolicy as DingPolicy
from ding.utils import deep_merge_dicts
from easydict import EasyDict

from ding_qmix.policy import QMIXPolicy
from ding_qmix.policy.autograd import AutogradGradient
from ding_qmix.policy.fast_path import choose_gradient
from ding_qmix.policy.loss import qmix_loss
from ding_qmix.policy.samples import collate_samples
from ding_qmix.policy.update import TDUpdate, UpdateResult, longest_first
from ding_qmix.spec import EpisodeBatch

N, OBS_DIM, S, A, H = 3, 7, 9, 5, 8
SIZES = dict(agent_num=N, obs_shape=OBS_DIM, global_obs_shape=S, action_shape=A, hidden_size_list=[H])
DING_MODEL = dict(type='qmix', import_names=['ding.model.template.qmix'])  # DI-engine's own model


def make_policy(
        model: Optional[dict] = None,
        learn: Optional[dict] = None,
        collect: Optional[dict] = None,
        cls: type = QMIXPolicy,
        seed: int = 0,
        enable_field: Optional[list[str]] = None,
        instance: Optional[torch.nn.Module] = None,
        top: Optional[dict] = None,
) -> Any:
    """
    A policy of the sizes above; sections override its defaults, ``instance`` is a ready model, ``top`` are keys beside
    the sections.
    """
    given = dict(
        cuda=False,
        model={
            **SIZES,
            **(model or {})
        },
        learn={
            **_threads(cls),
            **(learn or {})
        },
        collect=dict(env_num=4, **(collect or {})),
        eval=dict(env_num=4),
        **(top or {}),
    )
    torch.manual_seed(seed)
    return cls(EasyDict(deep_merge_dicts(cls.default_config(), given)), model=instance, enable_field=enable_field)


def _threads(cls: type) -> dict[str, int]:
    """One thread, for sums in one order: tests compare bits. DI-engine's policy has no such key."""
    return {} if cls is DingPolicy else {'n_threads': 1}


def make_ding_policy(model: Optional[dict] = None, learn: Optional[dict] = None, **kwargs: Any) -> DingPolicy:
    """DI-engine's own QMIX policy."""
    return make_policy(model, learn, cls=DingPolicy, **kwargs)


def random_episode(n_steps: int, seed: int, end: str = 'terminated', n_tensors: int = 1) -> dict[str, torch.Tensor]:
    """
    An episode as ``episode_sample`` returns it. ``end`` is 'terminated', 'truncated', or 'cut' for a piece that goes
    on. Action 0 is always legal, the actions taken are legal.
    """
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(n_steps + 1, N, A, generator=generator) < 0.6
    mask[..., 0] = True
    flags = {name: torch.zeros(n_steps) for name in ('terminated', 'truncated')}
    if end != 'cut':
        flags[end][-1] = 1.
    return {
        'obs': torch.randn(n_steps + 1, N, OBS_DIM, generator=generator),
        'state': torch.randn(n_steps + 1, S, generator=generator),
        'action_mask': mask,
        'action': torch.rand(n_steps, N, A, generator=generator).masked_fill(~mask[:-1], -1.).argmax(-1),
        'reward': torch.randn(n_steps, generator=generator),
        **flags,
        'mask': torch.ones(n_steps),
        'hidden_state': 0.5 * torch.randn(n_steps, N, n_tensors, H, generator=generator),
    }


def whole(episode: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The episode as a training sample that starts from zeros."""
    return {name: value for name, value in episode.items() if name != 'hidden_state'}


def chunk(episode: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The episode as a training sample that starts from its first stored hidden state."""
    return dict(episode, hidden_state=episode['hidden_state'][0])


def random_batch(lengths: tuple[int, ...] = (6, 5, 3), seed: int = 0, end: str = 'terminated') -> EpisodeBatch:
    """Whole random episodes of these lengths as one batch."""
    episodes = [whole(random_episode(n, seed + i, end)) for i, n in enumerate(lengths)]
    return collate_samples(episodes, torch.zeros(len(lengths), N, 1, H))


def q_tots(policy: QMIXPolicy, data: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Q_tot of the taken actions and its targets [T, B] as the policy sees them; give the longest episode first. The CPU
    kernels never have them in one place: that they have the same ones is seen by their gradients, which must be these.
    """
    if not isinstance(data, EpisodeBatch):
        data = collate_samples(data, policy._learn_model.initial_state(len(data)))
    batch, _ = longest_first(data, 'cpu')
    if batch.mask.sum() > 0:
        expected = autograd_update(policy).gradients(batch)
        assert_same_result(policy._learn_update.gradients(batch), expected)
    cfg = policy._cfg.learn
    options = (cfg.discount_factor, cfg.td_lambda, cfg.double_q, cfg.timeout_is_terminal)
    result = qmix_loss(policy._learn_model, policy._learn_target_model, batch, *options)
    return result.q_tot, result.target_q_tot


def autograd_update(policy: QMIXPolicy, n_threads: int = 1) -> TDUpdate:
    """The policy's update by autograd, whatever its own way is."""
    cfg = EasyDict(policy._cfg.learn, gradient='autograd')
    path = choose_gradient(policy._learn_model, policy._learn_target_model, cfg)
    assert isinstance(path.make(), AutogradGradient)
    return TDUpdate(path, n_threads)


def assert_same_result(got: UpdateResult, expected: UpdateResult) -> None:
    """Two updates of one batch agree within float32's rounding."""
    scale = float(expected.gradient.abs().max())
    torch.testing.assert_close(got.gradient, expected.gradient, atol=1e-5 * scale, rtol=0.)
    torch.testing.assert_close(got.means, expected.means, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.priority, expected.priority, atol=1e-5, rtol=1e-5)


def ding_transitions(episode: dict[str, torch.Tensor], first: int = 0) -> list[dict[str, Any]]:
    """The episode as the transitions that DI-engine's QMIX policy and its collectors make of it."""

    def obs(t: int) -> dict[str, torch.Tensor]:
        return {
            'agent_state': episode['obs'][t],
            'global_state': episode['state'][t],
            'action_mask': episode['action_mask'][t].float(),
        }

    done = episode['terminated'] + episode['truncated']
    return [
        {
            'obs': obs(t),
            'next_obs': obs(t + 1),
            'prev_state': [dict(h=h[0].view(1, 1, H), c=h[-1].view(1, 1, H)) for h in episode['hidden_state'][t]],
            'action': episode['action'][t],
            'reward': episode['reward'][t].view(1),
            'done': bool(done[t]),
        } for t in range(first, len(episode['mask']))
    ]


def fixed_parameters(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the parameters and buffers as they are now."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def same_tensors(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Return whether two state dicts are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
