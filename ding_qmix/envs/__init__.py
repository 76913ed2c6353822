"""Adapters of the batched env: DI-engine's env and env manager, PyMARL's env; and the choice of a backend."""
from ding_qmix.envs.backends import BACKENDS, make_vec_env
from ding_qmix.envs.ding_env import SMACEnv
from ding_qmix.envs.multi_agent_env import SMACMultiAgentEnv
from ding_qmix.envs.tracked_env import TrackedVecEnv
from ding_qmix.envs.vector_manager import VectorEnvManager

__all__ = ['BACKENDS', 'SMACEnv', 'SMACMultiAgentEnv', 'TrackedVecEnv', 'VectorEnvManager', 'make_vec_env']
