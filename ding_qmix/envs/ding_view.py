"""What a battle shows to DI-engine's policies: the obs dict, with the options of DI-engine's own SMAC env."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import gym
import numpy as np

from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import make_view_options
from ding_qmix.spec import EnvSpec

DingObs = dict[str, np.ndarray]


class DingView(NamedTuple):
    """
    Which arrays the obs dict has. Without options agent_state [N, O], global_state [S], action_mask [N, A].

    With ``special_global_state`` global_state is [N, G], one view of the battle per agent; ``independent_obs`` repeats
    agent_state there; ``obs_alone`` adds agent_alone_state [N, O - ally block] and agent_alone_padding_state [N, O].
    """
    spec: EnvSpec
    obs_alone: bool = False
    independent_obs: bool = False


def make_ding_view(cfg: Mapping[str, Any]) -> DingView:
    """
    Overview:
        Return the view that an env config asks for.
    Raises:
        - ValueError: unknown map or obs style; options that cannot stand together
    """
    modes = [name for name in ('obs_alone', 'independent_obs', 'special_global_state') if cfg[name]]
    if len(modes) > 1:
        raise ValueError(f'config env: {" and ".join(modes)} are both True; each policy takes at most one of them')
    if cfg['death_mask'] and not cfg['special_global_state']:
        raise ValueError('config env.death_mask=True masks the views of env.special_global_state, which is False')
    spec = make_spec(
        cfg['map_name'],
        cfg['obs_style'],
        cfg['backend'],
        special_global_state=cfg['special_global_state'],
        view=make_view_options(cfg)
    )
    return DingView(spec, bool(cfg['obs_alone']), bool(cfg['independent_obs']))


def view_obs(view: DingView, obs: np.ndarray, state: np.ndarray, action_mask: np.ndarray) -> DingObs:
    """
    Overview:
        Return the obs dict of one env, all float32. Copies: the batched env's arrays are overwritten by its next step.
    Shapes:
        - obs: [N, O]
        - state: [S]
        - action_mask: bool [N, A], True = legal
    """
    shown = {
        'agent_state': obs.copy(),
        'global_state': obs.copy() if view.independent_obs else state.reshape(view.spec.state_shape).copy(),
        'action_mask': action_mask.astype(np.float32),
    }
    if view.obs_alone:
        start, stop = view.spec.obs_layout.ally_block
        shown['agent_alone_state'] = np.delete(obs, np.s_[start:stop], axis=1)
        shown['agent_alone_padding_state'] = obs.copy()
        shown['agent_alone_padding_state'][:, start:stop] = 0.
    return shown


def observation_space(view: DingView) -> gym.spaces.Dict:
    """Return the space of ``view_obs``."""
    spec = view.spec
    obs_shape = (spec.n_agents, spec.obs_dim)
    boxes: dict[str, gym.spaces.Space] = {
        'agent_state': _numbers(obs_shape),
        'global_state': _numbers(obs_shape if view.independent_obs else spec.state_shape),
        'action_mask': gym.spaces.Box(0., 1., (spec.n_agents, spec.n_actions), np.float32),
    }
    if view.obs_alone:
        start, stop = spec.obs_layout.ally_block
        boxes['agent_alone_state'] = _numbers((spec.n_agents, spec.obs_dim - (stop - start)))
        boxes['agent_alone_padding_state'] = _numbers(obs_shape)
    return gym.spaces.Dict(boxes)


def _numbers(shape: tuple[int, ...]) -> gym.spaces.Box:
    """Space of any numbers."""
    return gym.spaces.Box(-float('inf'), float('inf'), shape, np.float32)
