from typing import Any, Optional

import numpy as np

from ding_qmix.run_state.checks import check_count, check_entries
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep


class BlindVecEnv:
    """
    Overview:
        A VecEnv whose agents see nothing but the time and who they are: obs of the usual width, with the share of the
        episode limit that has passed in the first feature, the agent's id in its place and zeros elsewhere. State,
        action mask and reward are the battle's own. What a policy wins here it wins without looking, so it is a
        baseline for what a map asks of a team. Source: SMACv2 (arXiv:2212.07489) section 3, open-loop policies.
    Interfaces:
        those of ``VecEnv``
    """

    def __init__(self, env: VecEnv) -> None:
        """
        Arguments:
            - env: the battles
        Raises:
            - ValueError: the obs have no agent id
        """
        self._env = env
        self.spec: EnvSpec = env.spec
        self.n_envs: int = env.n_envs
        N, style = env.spec.n_agents, env.spec.obs_style
        if env.spec.obs_layout.agent_id != N:
            raise ValueError(f"config env.blind: True, but obs_style {style!r} shows no agent id; set obs_style='ding'")
        self._time = np.zeros(env.n_envs, np.int64)  # [E], [env steps] of the episodes that are shown
        self._obs = np.zeros((env.n_envs, N, env.spec.obs_dim), np.float32)
        self._obs[:, :, -N:] = np.eye(N, dtype=np.float32)
        self._final_obs = self._obs.copy()

    def reset(self, env_ids: Optional[np.ndarray] = None) -> VecStep:
        """Begin new episodes; see ``VecEnv.reset``."""
        step = self._env.reset(env_ids)
        self._time[slice(None) if env_ids is None else env_ids] = 0
        return self._hide(step)

    def step(self, actions: np.ndarray, active: Optional[np.ndarray] = None) -> VecStep:
        """Play one decision; see ``VecEnv.step``."""
        step = self._env.step(actions, active)
        self._time += 1 if active is None else active
        self._time[step.terminated | step.truncated | step.lost] = 0
        return self._hide(step)

    def observe(self) -> VecStep:
        """Return what the env shows; see ``VecEnv.observe``."""
        return self._hide(self._env.observe())

    def seed(self, seeds: np.ndarray, env_ids: Optional[np.ndarray] = None) -> None:
        """Seed each env's own generator; takes effect at the next reset."""
        self._env.seed(seeds, env_ids)

    def units(self) -> UnitSnapshot:
        """Copy the unit tables of the running episodes."""
        return self._env.units()

    def final_units(self) -> UnitSnapshot:
        """Copy the unit tables as they were when the envs' last episodes ended; see ``VecEnv.final_units``."""
        return self._env.final_units()

    def state_dict(self) -> dict[str, Any]:
        """Return the battles' state, and the time that is shown."""
        return {**self._env.state_dict(), 'blind_time': self._time.tolist()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``."""
        check_entries('BlindVecEnv', state_dict, ('blind_time', ))
        times, limit = list(state_dict['blind_time']), self.spec.episode_limit
        if len(times) != self.n_envs:
            raise ValueError(f'BlindVecEnv: a state of {len(times)} times, expected one for each of {self.n_envs} envs')
        times = [check_count('BlindVecEnv: blind_time', time, 0, limit) for time in times]
        self._env.load_state_dict({key: value for key, value in state_dict.items() if key != 'blind_time'})
        self._time[:] = times

    def lost_cause(self, env_id: int) -> str:
        """Return what broke an env; see ``VecEnv.lost_cause``."""
        return self._env.lost_cause(env_id)

    def close(self) -> None:
        """Release the battles."""
        self._env.close()

    def _hide(self, step: VecStep) -> VecStep:
        """The step with obs that tell time and id alone."""
        limit = self.spec.episode_limit
        self._obs[:, :, 0] = (self._time / limit)[:, None]
        self._final_obs[:, :, 0] = (step.episode_len / limit)[:, None]
        return step._replace(obs=self._obs, final_obs=self._final_obs)
