"""Sets of hyper-parameters of QMIX and VDN that ``make_config`` begins from."""
import copy
from typing import Any, NamedTuple

from ding_qmix.utils.keys import nearest_hint


class HyperParameters(NamedTuple):
    """Sections of main_config, without what belongs to a map."""
    env: dict[str, Any]
    policy: dict[str, Any]


# One set for all maps; a file in dizoo_configs/ that deviates says why. What it was compared with: docs/tuning.md.
_DEFAULT = HyperParameters(
    env=dict(collector_env_num=32, evaluator_env_num=32, n_evaluator_episode=32, stop_value=2.),
    policy=dict(
        model=dict(hidden_size_list=[64], mixing_embed_dim=32),  # as in the paper and PyMARL
        learn=dict(
            update_per_collect=8,  # 32 episodes collected, 8 x 32 trained on: each is seen 8 times on average
            batch_size=32,  # [episodes]
            optimizer='adam',  # with td_lambda 0.6 as in PyMARL2 (arXiv:2102.03479)
            learning_rate=0.0007,
            td_lambda=0.6,
            target_update_freq=100,  # [train iters]
            learner=dict(hook=dict(log_show_after_iter=1000)),  # [train iters] DI-engine's table of losses
        ),
        collect=dict(n_episode=32),
        # 100k env steps as in PyMARL2; tuning runs with 50k more often stayed long with rushing in and losing
        other=dict(eps=dict(type='linear', start=1., end=0.05, decay=100000)),
    ),
)
# Source: PyMARL src/config/default.yaml, src/config/algs/qmix.yaml @ c971afd, src/learners/q_learner.py
_PYMARL = HyperParameters(
    env=dict(collector_env_num=1, evaluator_env_num=32, n_evaluator_episode=32, stop_value=2.),
    policy=dict(
        model=dict(hidden_size_list=[64], mixing_embed_dim=32, hypernet_embed_dim=64),
        learn=dict(
            update_per_collect=1,
            batch_size=32,  # [episodes]
            optimizer='rmsprop',  # alpha 0.99, eps 1e-5
            learning_rate=0.0005,
            clip_value=10.,
            discount_factor=0.99,
            double_q=True,
            td_lambda=0.,
            target_update_freq=200,  # [train iters], one per episode
            learner=dict(hook=dict(log_show_after_iter=1000)),  # [train iters] DI-engine's table of losses
        ),
        collect=dict(n_episode=1, unroll_len=0),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=50000),
            replay_buffer=dict(replay_buffer_size=5000),  # [episodes]
        ),
    ),
)
PRESETS = {'default': _DEFAULT, 'pymarl': _PYMARL}


def hyper_parameters(preset: str) -> HyperParameters:
    """
    Overview:
        Return a copy of a set of hyper-parameters.
    Arguments:
        - preset: 'default', or 'pymarl' for the settings that PyMARL ships for QMIX and VDN: one env, one update per \
            episode
    Raises:
        - ValueError: there is no such set
    """
    if preset not in tuple(PRESETS):
        raise ValueError(f'make_config: unknown preset {preset!r}; {nearest_hint(str(preset), PRESETS)}')
    return copy.deepcopy(PRESETS[preset])
