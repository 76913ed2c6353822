import os
import time
from typing import Any, Callable, ClassVar, Optional

from ding.utils import SERIAL_EVALUATOR_REGISTRY, deep_merge_dicts
from ding.worker.collector.base_serial_evaluator import ISerialEvaluator
from easydict import EasyDict
from tensorboardX import SummaryWriter

from ding_qmix.policy.modes import EvalMode
from ding_qmix.run_state import DETAIL, TO_USER, Evaluation
from ding_qmix.run_state.checks import check_count, check_entries
from ding_qmix.schema import TEXT, Key, Schema, check_section, defaults, integer
from ding_qmix.schema.ding_engine import EVALUATIONS, EVALUATOR_DISPLAY, PART
from ding_qmix.spec import EpisodeStats
from ding_qmix.utils.result_file import ResultFile
from ding_qmix.utils.statistics import wilson_interval
from ding_qmix.worker.batched_env import BatchedEnvManager
from ding_qmix.worker.best_win_rate import BEST_CHECKPOINT, BestWinRate
from ding_qmix.worker.interrupt import InterruptFlag
from ding_qmix.worker.vector_worker import VectorWorker, episode_info, lost_text

# What evaluations.csv keeps of an evaluation, in this order: files of earlier runs are continued.
_COLUMNS = (
    'env_step', 'train_iter', 'episode_count', 'envstep_count', 'avg_envstep_per_episode', 'evaluate_time',
    'reward_mean', 'reward_std', 'win_rate', 'win_rate_low', 'win_rate_high', 'shaped_return_mean', 'dead_allies_mean',
    'dead_enemies_mean', 'elapsed_time'
)

_STATE = ('best_win_rate', 'last_train_iter', 'last_env_step', 'last_info', 'elapsed_time', 'rollout')


@SERIAL_EVALUATOR_REGISTRY.register('ding_qmix_win_rate')
class WinRateEvaluator(VectorWorker[EvalMode], ISerialEvaluator):
    """
    Overview:
        Plays greedy episodes in a batched env and reports the win rate with its confidence interval.
        Being asked between all updates, it also stops the training on Ctrl-C, with a checkpoint saved.
    Interfaces:
        ``should_eval``, ``eval``, ``reset``, ``reset_env``, ``reset_policy``, ``close``
    """
    schema: ClassVar[Schema] = dict(
        PART,
        type=Key('ding_qmix_win_rate', TEXT),
        # Evaluate this often, unless eval_env_step_freq is set.
        eval_freq=Key(1000, integer(1, 10 ** 9, 'train iters')),
        # Evaluate this often; 0 leaves the interval to eval_freq.
        eval_env_step_freq=Key(0, integer(0, 10 ** 12, 'env steps')),
        # Episodes of one evaluation, from env.n_evaluator_episode.
        n_episode=Key(32, EVALUATIONS['n_episode']),
        # Win rate at which training stops, from env.stop_value; above 1 the whole budget is used.
        stop_value=Key(2., EVALUATIONS['stop_value']),
        **EVALUATOR_DISPLAY,  # DI-engine merges its own evaluator's keys in
    )
    config = {name: value for name, value in defaults(schema).items() if name not in EVALUATOR_DISPLAY}
    _best_win_rate: float
    _last_train_iter: int  # of the latest evaluation, as the next two
    _last_env_step: int
    _last_info: dict[str, list[float]]
    _resumed: bool  # no evaluation was asked for since the state was restored
    _start_time: float  # [s]

    def __init__(
            self,
            cfg: EasyDict,
            env: Optional[BatchedEnvManager] = None,
            policy: Optional[EvalMode] = None,
            tb_logger: Optional[SummaryWriter] = None,
            exp_name: str = 'default_experiment',
            instance_name: str = 'evaluator',
    ) -> None:
        """As DI-engine's evaluators; see ``VectorWorker`` for what is refused."""
        self.check_config(cfg)
        self._cfg = EasyDict(deep_merge_dicts(self.config, cfg))
        self._results = ResultFile(os.path.join('.', exp_name, 'log', instance_name, 'evaluations.csv'))
        self._best_file = BestWinRate(os.path.join('.', exp_name, 'ckpt'))
        self._interrupt = InterruptFlag()
        super().__init__(EvalMode, env, policy, tb_logger, exp_name, instance_name)
        self._interrupt.install()

    @classmethod
    def check_config(cls, given: Any, path: str = 'policy.eval.evaluator') -> None:
        """Check this part's section of a config, or what is given of it: ValueError names the key's path."""
        check_section(path, given, cls.schema)

    def should_eval(self, train_iter: int) -> bool:
        """Return whether an evaluation is due, or a Ctrl-C is to be answered. The run is saved first, if it is time."""
        self._run.save_if_due()
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
            self._interrupt.save_checkpoint(save_ckpt_fn, train_iter, self._logger)
            return True, self._last_info
        if self._resumed:  # DI-engine's pipeline must have seen a result before it ends
            self._resumed = False
            if not self.should_eval(train_iter):
                return False, self._last_info
        if self._last_train_iter < 0 and train_iter > 0:  # the run goes on from a checkpoint alone
            self._go_on_at(envstep)
        start = time.perf_counter()
        stats = self._rollout.play(self._actor, n_episode or self._cfg.n_episode)
        win_rate = float(stats.won.mean())
        self._log(stats, train_iter, envstep, time.perf_counter() - start)
        self._last_train_iter, self._last_env_step = train_iter, envstep
        self._last_info = {'eval_episode_return': stats.won.astype(float).tolist()}
        if win_rate > self._best_win_rate:
            self._best_win_rate = win_rate
            if save_ckpt_fn is not None:
                save_ckpt_fn(BEST_CHECKPOINT)
                self._best_file.write(win_rate)
        interval = wilson_interval(int(stats.won.sum()), len(stats.won))
        self._run.progress.evaluated(Evaluation(envstep, win_rate, *interval, self._best_win_rate))
        stop = win_rate >= self._cfg.stop_value and train_iter > 0
        if stop:
            line = f'win rate {win_rate:.2f} reached stop_value {self._cfg.stop_value}: training ends'
            self._logger.info(line, extra=TO_USER)
            self._interrupt.uninstall()
        return stop, self._last_info

    def state_dict(self) -> dict[str, Any]:
        """Return battles, and what is remembered of earlier evaluations."""
        return {
            'best_win_rate': self._best_win_rate,
            'last_train_iter': self._last_train_iter,
            'last_env_step': self._last_env_step,
            'last_info': self._last_info,
            'elapsed_time': time.perf_counter() - self._start_time,
            'rollout': self._rollout.state_dict(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore ``state_dict``; ValueError if it is damaged."""
        check_entries('evaluator', state_dict, _STATE)
        for name in ('last_train_iter', 'last_env_step'):
            check_count(f'evaluator: {name}', state_dict[name], -1)
        self._best_win_rate = state_dict['best_win_rate']
        self._start_time = time.perf_counter() - state_dict['elapsed_time']
        self._last_train_iter, self._last_env_step = state_dict['last_train_iter'], state_dict['last_env_step']
        self._last_info = state_dict['last_info']
        self._resumed = True
        self._rollout.load_state_dict(state_dict['rollout'])
        self._go_on_at(self._last_env_step)

    def close(self) -> None:
        """Give signals back, close the env and flush the log; a second call does nothing."""
        self._interrupt.uninstall()
        super().close()

    def _reset_counts(self) -> None:
        self._best_win_rate = -1.
        self._last_train_iter, self._last_env_step = -1, -1
        self._last_info = {'eval_episode_return': []}
        self._resumed = False
        self._start_time = time.perf_counter()

    def _go_on_at(self, env_step: int) -> None:
        """Drop results of a later time, and keep the best checkpoint until it is beaten."""
        self._results.drop_beyond('env_step', env_step)
        self._best_win_rate = max(self._best_win_rate, self._best_file.read())

    def _env_step(self) -> int:
        """Env steps collected so far, which only a commander tells; DI-engine does not pass them to should_eval."""
        if self._policy.env_step is None:
            raise ValueError(
                f'config policy.eval.evaluator: eval_env_step_freq={self._cfg.eval_env_step_freq}, but this policy is '
                "not told how many env steps were collected; build policy 'ding_qmix_command', as DI-engine's serial "
                'pipeline does, or set eval_freq instead'
            )
        return self._policy.env_step()

    def _log(self, stats: EpisodeStats, train_iter: int, env_step: int, duration: float) -> None:
        """One line for the terminal, a row of evaluations.csv, DI-engine's names for TensorBoard."""
        n_episode, win_rate = len(stats.won), float(stats.won.mean())
        low, high = wilson_interval(int(stats.won.sum()), n_episode)
        elapsed = time.perf_counter() - self._start_time
        counts, speed = episode_info(stats), max(env_step, 0) / max(elapsed, 1e-9)  # [env steps / s]
        self._logger.info(
            f'{env_step:>9,} env steps | test win rate {win_rate:.2f} [{low:.2f}, {high:.2f}] over {n_episode} '
            f'episodes, return {stats.episode_return.mean():.2f}, length {stats.length.mean():.0f}{lost_text(counts)}'
            f' | train iter {train_iter:,}, {speed:,.0f} env steps/s, {_clock(elapsed)}',
            extra=DETAIL
        )
        info = {
            **counts,
            'evaluate_time': duration,
            'reward_std': stats.won.std(),
            'win_rate_low': low,
            'win_rate_high': high,
            'elapsed_time': elapsed,
        }
        row = {'env_step': env_step, 'train_iter': train_iter, **info}
        self._results.append({name: row[name] for name in _COLUMNS})
        self._write_scalars(info, train_iter, env_step)


def _clock(seconds: float) -> str:
    """3725 -> '1:02:05'"""
    minutes, seconds = divmod(int(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'
