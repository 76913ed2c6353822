from typing import NamedTuple, Optional

import numpy as np

from ding_qmix.spec import UnitSnapshot


class BattleFrame(NamedTuple):
    """One moment of one battle."""
    units: UnitSnapshot  # [1, U] each
    step: int  # [env steps] played so far
    reward: float  # of the last step
    episode_return: float  # up to now
    result: str = ''  # 'won', 'lost', 'draw' or 'time limit' in the last frame of an episode
    actions: Optional[np.ndarray] = None  # int64 [N], chosen at this moment
    action_mask: Optional[np.ndarray] = None  # bool [N, A]
    q_values: Optional[np.ndarray] = None  # float [N, A]; drawn beside the map if there
    q_tot: Optional[float] = None  # what the team's chosen actions are worth to the mixer
