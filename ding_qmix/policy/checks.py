import inspect
import os
from typing import Any

from easydict import EasyDict

from ding_qmix.ding_compat import DingQMix
from ding_qmix.policy.fast_path import GRADIENTS
from ding_qmix.utils.keys import check_keys

# Keys that DI-engine's pipelines, learner, collectors and commanders read or write beside the policy's own.
_DING_KEYS: dict[str, tuple] = {
    '': (
        'cfg_type', 'import_names', 'model', 'multi_gpu', 'bp_update_sync', 'traj_len_inf', 'random_collect_size',
        'transition_with_policy_data'
    ),
    'learn': ('learner', 'resume_training', 'multi_gpu', 'ignore_done'),
    'collect': ('collector', 'env_num', 'n_sample'),
    'eval': ('evaluator', 'env_num'),
    'other': ('commander', ),
}
_OPTIMIZERS = ('rmsprop', 'adam')


def check_policy_config(cfg: EasyDict, default: dict[str, Any]) -> None:
    """
    Overview:
        Refuse a policy config that would train something else than it says.
    Arguments:
        - cfg: the merged ``policy`` section
        - default: the policy's default config, which names the keys that are read
    Raises:
        - ValueError: a key that nobody reads (nearest one named), a value out of range, or keys that exclude others
        - FileNotFoundError: the checkpoint to load, or the run to resume, is not there
    """
    check_keys('policy', cfg, {*default, *_DING_KEYS['']})
    for section in ('learn', 'collect', 'eval', 'other'):
        check_keys(f'policy.{section}', cfg.get(section, {}), {*default[section], *_DING_KEYS[section]})
    check_keys('policy.other.eps', cfg.other.eps, default['other']['eps'])
    if cfg.model.get('type', 'ding_qmix') == 'ding_qmix':
        check_keys('policy.model', cfg.model, {*inspect.signature(DingQMix).parameters, 'type', 'import_names'})
    _check_learn(cfg)
    _check_collect(cfg)
    _check_resume(cfg.learn, cfg.learn.get('learner', {}).get('hook', {}).get('load_ckpt_before_run', ''))


def _check_learn(cfg: EasyDict) -> None:
    learn = cfg.learn
    if cfg.priority_IS_weight and not cfg.priority:
        raise ValueError('config policy.priority_IS_weight: True, but priority is False; set both or none')
    buffer = cfg.other.get('replay_buffer', {})
    if buffer.get('type') == 'ding_qmix_episode' and buffer.get('priority', False) != cfg.priority:
        raise ValueError(
            f'config policy.priority: {cfg.priority}, but policy.other.replay_buffer.priority: '
            f'{buffer.get("priority", False)}; set both or none'
        )
    if learn.optimizer not in _OPTIMIZERS:
        raise ValueError(f'config policy.learn.optimizer: {learn.optimizer!r}, expected one of {_OPTIMIZERS}')
    if learn.gradient not in GRADIENTS:
        raise ValueError(f'config policy.learn.gradient: {learn.gradient!r}, expected one of {GRADIENTS}')
    for key in ('discount_factor', 'td_lambda', 'target_update_theta'):
        _check_range(f'learn.{key}', learn[key], 0., 1.)
    for key in ('batch_size', 'update_per_collect', 'learning_rate', 'clip_value'):
        _check_positive(f'learn.{key}', learn[key])
    if learn.n_threads < 0:
        raise ValueError(f'config policy.learn.n_threads: {learn.n_threads}, expected 0 (one per core) or more')
    if (learn.target_update_freq > 0) == (learn.target_update_theta > 0.):
        raise ValueError(
            f'config policy.learn: target_update_freq={learn.target_update_freq} (hard updates) and '
            f'target_update_theta={learn.target_update_theta} (soft updates); set one of them and the other to 0'
        )


def _check_collect(cfg: EasyDict) -> None:
    collect, eps = cfg.collect, cfg.other.eps
    if collect.unroll_len < 0 or collect.burnin_step < 0:
        raise ValueError(
            f'config policy.collect: unroll_len={collect.unroll_len} and burnin_step={collect.burnin_step}, '
            'expected 0 or more [env steps]'
        )
    if collect.burnin_step > 0 and collect.unroll_len == 0:
        raise ValueError(
            f'config policy.collect.burnin_step: {collect.burnin_step}, but whole episodes (unroll_len=0) start from '
            'their first step and need no burn-in; set burnin_step=0 or a chunk length'
        )
    _check_positive('collect.n_episode', collect.n_episode)
    if cfg.get('random_collect_size', 0) > 0 and collect.get('collector', {}).get('type') == 'ding_qmix_vector':
        raise ValueError(
            f'config policy.random_collect_size: {cfg.random_collect_size}, but collector ding_qmix_vector has no '
            'random policy; leave it out, other.eps.start=1 plays at random in the beginning'
        )
    if eps.type not in ('linear', 'exp'):
        raise ValueError(f"config policy.other.eps.type: {eps.type!r}, expected 'linear' or 'exp'")
    for key in ('start', 'end'):
        _check_range(f'other.eps.{key}', eps[key], 0., 1.)
    _check_positive('other.eps.decay', eps.decay)


def _check_resume(learn: EasyDict, path: str) -> None:
    if learn.resume_from and path:
        raise ValueError(
            f'config policy.learn.resume_from: {learn.resume_from!r}, but learner.hook.load_ckpt_before_run: {path!r}; '
            'set one of them'
        )
    if learn.get('resume_training', False) and not learn.resume_from and not path:
        raise ValueError(
            "config policy.learn.resume_training: True, but nothing says what to resume; set learn.resume_from="
            "'<exp_name>' for its newest save, or learner.hook.load_ckpt_before_run to a checkpoint"
        )
    if learn.resume_from and not os.path.isdir(learn.resume_from):
        raise FileNotFoundError(
            f'config policy.learn.resume_from: there is no folder {learn.resume_from!r} (from {os.getcwd()}); give the '
            'exp_name of a run'
        )
    for key in ('save_run_seconds', 'save_run_env_steps'):
        if learn[key] < 0:
            raise ValueError(f'config policy.learn.{key}: {learn[key]}, expected 0 or more')
    _check_checkpoint(path)


def _check_checkpoint(path: str) -> None:
    if path and not os.path.isfile(path):
        raise FileNotFoundError(
            f'config policy.learn.learner.hook.load_ckpt_before_run: there is no file {path!r} (from {os.getcwd()}); '
            "give a checkpoint such as '<exp_name>/ckpt/ckpt_best.pth.tar', or '' to start anew"
        )


def _check_range(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f'config policy.{key}: {value}, expected a number in [{low}, {high}]')


def _check_positive(key: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f'config policy.{key}: {value}, expected more than 0')
