"""The embedded battlefield: SMAC's maps simulated from the game's data, batched and compiled."""
from ding_qmix.sim.vec_env import SimVecEnv
from ding_qmix.sim.version import SIM_VERSION

__all__ = ['SIM_VERSION', 'SimVecEnv']
