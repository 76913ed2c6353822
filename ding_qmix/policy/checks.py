import os
from collections.abc import Mapping
from typing import Any

from ding.worker.learner.learner_hook import hook_mapping
from easydict import EasyDict

from ding_qmix.config_check import check_part
from ding_qmix.policy.config import SCHEMA
from ding_qmix.schema import SECTION, check_section, check_value, choice, defaults, merge
from ding_qmix.schema.ding_engine import HOOK, HOOKS, LEARNER, REPLAY_BUFFER_SIZE

_PARTS = {'collect.collector': 'collector', 'eval.evaluator': 'evaluator', 'other.replay_buffer': 'replay_buffer'}


def check_policy_config(given: Any, path: str = 'policy') -> None:
    """
    Overview:
        Refuse a policy config that would train something else than it says, or nothing.
    Arguments:
        - given: the ``policy`` section, merged or what differs from the default
        - path: of the section, for messages
    Raises:
        - ValueError: a key that nobody reads (nearest one named), a value of a wrong type or out of range, or keys \
            that exclude others
        - FileNotFoundError: the checkpoint to load, or the run to resume, is not there
    """
    check_section(path, given, SCHEMA)
    cfg = EasyDict(merge(defaults(SCHEMA), given))
    if 'model' in cfg:
        check_part('model', 'policy.model', {'type': 'ding_qmix', **cfg.model})
    for name, kind in _PARTS.items():
        section, part = name.split('.')
        check_part(kind, f'policy.{name}', cfg[section].get(part, {}))
    _check_learner(cfg.learn.learner)
    _check_learn(cfg)
    _check_collect(cfg)
    _check_resume(cfg.learn, cfg.learn.learner.hook.get('load_ckpt_before_run', ''))


def _check_learner(learner: Mapping[str, Any]) -> None:
    """Check DI-engine's learner and its hooks, by their short names or as sections of their own."""
    path = 'policy.learn.learner'
    check_section(path, learner, LEARNER)
    for name, value in learner['hook'].items():
        where = f'{path}.hook.{name}'
        check_value(where, value, HOOKS.get(name, SECTION))
        if not isinstance(value, Mapping):
            continue
        check_section(where, value, HOOK)
        lacking = {'name', 'type', 'position'} - value.keys()
        if lacking:
            raise ValueError(f'config {where}: lacks {", ".join(sorted(lacking))}, expected all of {", ".join(HOOK)}')
        check_value(f'{where}.type', value['type'], choice(*hook_mapping, noun='hook'))


def _check_learn(cfg: EasyDict) -> None:
    learn, buffer = cfg.learn, cfg.other.replay_buffer
    if cfg.priority_IS_weight and not cfg.priority:
        raise ValueError('config policy.priority_IS_weight: True, but priority is False; set both or none')
    if buffer.get('type') == 'ding_qmix_episode' and buffer.get('priority', False) != cfg.priority:
        raise ValueError(
            f'config policy.priority: {cfg.priority}, but policy.other.replay_buffer.priority: '
            f'{buffer.get("priority", False)}; set both or none'
        )
    check_value('policy.other.replay_buffer.replay_buffer_size', buffer.replay_buffer_size, REPLAY_BUFFER_SIZE)
    if learn.batch_size > buffer.replay_buffer_size:
        raise ValueError(
            f'config policy.learn.batch_size: {learn.batch_size}, but policy.other.replay_buffer.replay_buffer_size: '
            f'{buffer.replay_buffer_size}; such a buffer never holds a batch'
        )
    if buffer.get('type') == 'ding_qmix_episode' and 0 < buffer.get('max_rows', 0) < 2 * learn.batch_size:
        raise ValueError(
            f'config policy.other.replay_buffer.max_rows: {buffer.max_rows}, but policy.learn.batch_size: '
            f'{learn.batch_size} samples take 2 rows each or more; such a buffer never holds a batch'
        )
    if (learn.target_update_freq > 0) == (learn.target_update_theta > 0.):
        raise ValueError(
            f'config policy.learn: target_update_freq={learn.target_update_freq} (hard updates) and '
            f'target_update_theta={learn.target_update_theta} (soft updates); set one of them and the other to 0'
        )


def _check_collect(cfg: EasyDict) -> None:
    collect = cfg.collect
    if collect.burnin_step > 0 and collect.unroll_len == 0:
        raise ValueError(
            f'config policy.collect.burnin_step: {collect.burnin_step}, but whole episodes (unroll_len=0) start from '
            'their first step and need no burn-in; set burnin_step=0 or a chunk length'
        )
    collector = collect.get('collector', {})
    if cfg.get('random_collect_size', 0) > 0 and collector.get('type') == 'ding_qmix_vector':
        raise ValueError(
            f'config policy.random_collect_size: {cfg.random_collect_size}, but collector ding_qmix_vector has no '
            'random policy; leave it out, other.eps.start=1 plays at random in the beginning'
        )
    if collector.get('type') == 'episode' and not collector.get('get_train_sample', False):
        raise ValueError(
            "config policy.collect.collector.get_train_sample: False, but policy ding_qmix needs DI-engine's collector "
            "'episode' to hand out its samples; set create_config.collector.get_train_sample to True"
        )


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
    _check_checkpoint(path)


def _check_checkpoint(path: str) -> None:
    if path and not os.path.isfile(path):
        raise FileNotFoundError(
            f'config policy.learn.learner.hook.load_ckpt_before_run: there is no file {path!r} (from {os.getcwd()}); '
            "give a checkpoint such as '<exp_name>/ckpt/ckpt_best.pth.tar', or '' to start anew"
        )
