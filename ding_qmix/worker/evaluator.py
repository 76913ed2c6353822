import time
from typing import Any, Callable, Optional

from ding.utils import SERIAL_EVALUATOR_REGISTRY, build_logger, deep_merge_dicts
from ding.worker.collector.base_serial_evaluator import ISerialEvaluator
from easydict import EasyDict
from tensorboardX import SummaryWriter

from ding_qmix.config import check_model_sizes
from ding_qmix.run_state import join_run
from ding_qmix.spec import Actor
from ding_qmix.utils.keys import check_keys
from ding_qmix.utils.result_file import ResultFile
from ding_qmix.utils.statistics import wilson_interval
from ding_qmix.worker.batched_env import BatchedEnvManager, PolicyMode, batched_env
from ding_qmix.worker.interrupt import InterruptFlag
from ding_qmix.worker.rollout import EpisodeStats, Rollout


@SERIAL_EVALUATOR_REGISTRY.register('ding_qmix_win_rate')
class WinRateEvaluator(ISerialEvaluator):
    """
    Overview:
        Plays greedy episodes in a batched env and reports the win rate with its confidence interval.
        Being asked between all updates, it also stops the training on Ctrl-C, with a checkpoint saved.
    Interfaces:
        ``should_eval``, ``eval``, ``reset``, ``reset_env``, ``reset_policy``, ``close``
    """
    config = dict(
        type='ding_qmix_win_rate',
        # (int) [train iters] Evaluate this often, unless eval_env_step_freq is set.
        eval_freq=1000,
        # (int) [env steps] Evaluate this often; 0 leaves the interval to eval_freq.
        eval_env_step_freq=0,
        # (int) Episodes of one evaluation, from env.n_evaluator_episode.
        n_episode=32,
        # (float) Win rate at which training stops, from env.stop_value; above 1 the whole budget is used.
        stop_value=2.,
    )
    _HOST_KEYS = ('cfg_type', 'import_names', 'render', 'figure_path')  # DI-engine merges its own evaluator's in

    def __init__(
            self,
            cfg: EasyDict,
            env: Optional[BatchedEnvManager] = None,
            policy: Optional[PolicyMode] = None,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'evaluator',
    ) -> None:
        """As DI-engine's evaluators; TypeError if ``env`` is not batched, ValueError if its map is not the model's."""
        check_keys('policy.eval.evaluator', cfg, {*self.config, *self._HOST_KEYS})
        self._policy: PolicyMode
        self._actor: Actor
        self._cfg = EasyDict(deep_merge_dicts(self.config, cfg))
        if self._cfg.eval_freq < 1 or self._cfg.eval_env_step_freq < 0:
            raise ValueError(
                f'config policy.eval.evaluator: eval_freq={self._cfg.eval_freq} and eval_env_step_freq='
                f'{self._cfg.eval_env_step_freq}, expected at least 1 [train iters] and 0 or more [env steps]'
            )
        self._instance_name = instance_name
        self._logger, own_tb_logger = build_logger(
            f'./{exp_name}/log/{instance_name}', instance_name, need_tb=tb_logger is None
        )
        self._tb_logger = tb_logger or own_tb_logger
        self._results = ResultFile(f'./{exp_name}/log/{instance_name}/evaluations.csv')
        self._closed = False
        self._interrupt = InterruptFlag()
        self.reset(policy, env)
        self._interrupt.install()
        join_run(exp_name, instance_name, self)

    def reset_env(self, _env: Optional[BatchedEnvManager] = None) -> None:
        """Launch and take over a new env manager, or begin new episodes in the present one."""
        if _env is not None:
            self._env = _env
            self._vec_env = batched_env(_env, self._instance_name)
        self._rollout = Rollout(self._vec_env)

    def reset_policy(self, _policy: Optional[PolicyMode] = None) -> None:
        """Take over a new policy, or forget the hidden states of the present one."""
        if _policy is not None:
            self._policy = _policy
            check_model_sizes(_policy.get_attribute('cfg').model, self._vec_env.spec)
            self._actor = _policy.get_attribute('eval_actor')
        self._policy.reset()

    def reset(self, _policy: Optional[PolicyMode] = None, _env: Optional[BatchedEnvManager] = None) -> None:
        """Take over env and policy where given, and forget earlier evaluations."""
        if _env is not None:
            self.reset_env(_env)
        if _policy is not None:
            self.reset_policy(_policy)
        self._best_win_rate = -1.
        self._last_train_iter, self._last_env_step = -1, -1  # of the latest evaluation
        self._last_info: dict[str, list[float]] = {'eval_episode_return': []}
        self._resumed = False
        self._start_time = time.perf_counter()

    def should_eval(self, train_iter: int) -> bool:
        """Tell whether an evaluation is due, or a Ctrl-C is to be answered."""
        if self._interrupt.raised or self._last_train_iter < 0 or self._resumed:
            return True
        if self._cfg.eval_env_step_freq > 0:
            return self._env_step() - self._last_env_step >= self._cfg.eval_env_step_freq
        return train_iter - self._last_train_iter >= self._cfg.eval_freq

    def eval(
            self,
            save_ckpt_fn: Optional[Callable] = None,
            train_iter: int = -1,
            envstep: int = -1,
            n_episode: Optional[int] = None,
            force_render: bool = False,
            policy_kwargs: Optional[dict] = None,
    ) -> tuple[bool, dict[str, list]]:
        """
        Overview:
            Play greedy episodes, log them, keep the best checkpoint.
        Arguments:
            - save_ckpt_fn: called with a file name at a new best win rate, and on Ctrl-C
            - train_iter, envstep: for the log
            - n_episode: None takes the config's
            - force_render, policy_kwargs: part of DI-engine's interface, not used
        Returns:
            - stop: the win rate reached ``stop_value``, or Ctrl-C was pressed
            - info: dict(eval_episode_return) with 1. for each episode won, else 0.
        """
        if self._interrupt.raised:
            return self._stop_on_interrupt(save_ckpt_fn, train_iter)
        if self._resumed:  # DI-engine's pipeline must have seen a result before it ends
            self._resumed = False
            if not self.should_eval(train_iter):
                return False, self._last_info
        start = time.perf_counter()
        stats = self._rollout.play(self._actor, n_episode or self._cfg.n_episode)
        win_rate = float(stats.won.mean())
        self._log(stats, train_iter, envstep, time.perf_counter() - start)
        self._last_train_iter, self._last_env_step = train_iter, envstep
        self._last_info = {'eval_episode_return': stats.won.astype(float).tolist()}
        if win_rate > self._best_win_rate:
            self._best_win_rate = win_rate
            if save_ckpt_fn is not None:
                save_ckpt_fn('ckpt_best.pth.tar')
        stop = win_rate >= self._cfg.stop_value and train_iter > 0
        if stop:
            self._logger.info(f'win rate {win_rate:.2f} reached stop_value {self._cfg.stop_value}: training ends')
            self._interrupt.uninstall()
        return stop, self._last_info

    def state_dict(self) -> dict[str, Any]:
        """Return battles, and what is remembered of earlier evaluations."""
        return {
            'best_win_rate': self._best_win_rate,
            'last_train_iter': self._last_train_iter,
            'last_env_step': self._last_env_step,
            'last_info': self._last_info,
            'rollout': self._rollout.state_dict(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``."""
        self._best_win_rate = state_dict['best_win_rate']
        self._last_train_iter, self._last_env_step = state_dict['last_train_iter'], state_dict['last_env_step']
        self._last_info = state_dict['last_info']
        self._resumed = True
        self._rollout.load_state_dict(state_dict['rollout'])

    def close(self) -> None:
        """Close the env and flush the log; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._interrupt.uninstall()
        self._env.close()
        self._tb_logger.flush()
        self._tb_logger.close()

    def __del__(self) -> None:
        if hasattr(self, '_closed'):
            self.close()

    def _env_step(self) -> int:
        """Env steps collected so far, which the policy's command mode notes; DI-engine does not pass them here."""
        return self._policy.get_attribute('collector_env_step')

    def _stop_on_interrupt(self, save_ckpt_fn: Optional[Callable], train_iter: int) -> tuple[bool, dict[str, list]]:
        self._logger.info(f'interrupted: stopping after train iter {train_iter}, a checkpoint is saved')
        if save_ckpt_fn is not None:
            save_ckpt_fn('ckpt_interrupted.pth.tar')
        return True, self._last_info

    def _log(self, stats: EpisodeStats, train_iter: int, env_step: int, duration: float) -> None:
        """One line for the terminal, a row of evaluations.csv, DI-engine's names for TensorBoard."""
        n_episode, win_rate = len(stats.won), float(stats.won.mean())
        low, high = wilson_interval(int(stats.won.sum()), n_episode)
        elapsed = time.perf_counter() - self._start_time
        self._logger.info(
            f'{env_step:>9,} env steps | test win rate {win_rate:.2f} [{low:.2f}, {high:.2f}] over {n_episode} '
            f'episodes, return {stats.episode_return.mean():.2f}, length {stats.length.mean():.0f} | train iter '
            f'{train_iter:,}, {max(env_step, 0) / max(elapsed, 1e-9):,.0f} env steps/s, {_clock(elapsed)}'
        )
        info = {
            'episode_count': n_episode,
            'envstep_count': int(stats.length.sum()),
            'avg_envstep_per_episode': stats.length.mean(),
            'evaluate_time': duration,
            'reward_mean': win_rate,
            'reward_std': stats.won.std(),
            'win_rate': win_rate,
            'win_rate_low': low,
            'win_rate_high': high,
            'shaped_return_mean': stats.episode_return.mean(),
            'dead_allies_mean': stats.dead_allies.mean(),
            'dead_enemies_mean': stats.dead_enemies.mean(),
            'elapsed_time': elapsed,
        }
        self._results.append({'env_step': env_step, 'train_iter': train_iter, **info})
        for name, value in info.items():
            self._tb_logger.add_scalar(f'{self._instance_name}_iter/{name}', value, train_iter)
            self._tb_logger.add_scalar(f'{self._instance_name}_step/{name}', value, env_step)


def _clock(seconds: float) -> str:
    """3725 -> '1:02:05'"""
    minutes, seconds = divmod(int(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'
