"""Memory for what a batch of battles shows."""
import numpy as np

from ding_qmix.spec import EnvSpec, VecStep


def make_step(n_envs: int, spec: EnvSpec) -> VecStep:
    """Return memory for what E envs show."""
    obs_shape = (n_envs, spec.n_agents, spec.obs_dim)
    mask_shape = (n_envs, spec.n_agents, spec.n_actions)
    return VecStep(
        obs=np.zeros(obs_shape, dtype=np.float32),
        state=np.zeros((n_envs, spec.state_dim), dtype=np.float32),
        action_mask=np.zeros(mask_shape, dtype=np.bool_),
        reward=np.zeros(n_envs, dtype=np.float32),
        terminated=np.zeros(n_envs, dtype=np.bool_),
        truncated=np.zeros(n_envs, dtype=np.bool_),
        won=np.zeros(n_envs, dtype=np.bool_),
        lost=np.zeros(n_envs, dtype=np.bool_),
        dead_allies=np.zeros(n_envs, dtype=np.int32),
        dead_enemies=np.zeros(n_envs, dtype=np.int32),
        episode_len=np.zeros(n_envs, dtype=np.int64),
        episode_return=np.zeros(n_envs),
        final_obs=np.zeros(obs_shape, dtype=np.float32),
        final_state=np.zeros((n_envs, spec.state_dim), dtype=np.float32),
        final_action_mask=np.zeros(mask_shape, dtype=np.bool_),
    )
