"""
The keys of DI-engine's own parts that stand in our configs: learner and hooks, collectors, buffers, evaluator, env
managers. Defaults are DI-engine's (0.5.3); keys that its other versions add are its own to judge.
"""
from collections.abc import Mapping

from ding_qmix.schema.rules import (
    FLAG,
    SECTION,
    TEXT,
    Rule,
    choice,
    integer,
    list_of,
    number,
    optional,
    union,
)
from ding_qmix.schema.section import Schema

INF = float('inf')
COUNT = integer(1, 10 ** 9)
SECONDS = number(0., 10 ** 9, 's', above=True)
REPLAY_BUFFER_SIZE = integer(1, 10 ** 7, 'samples')
MOST_ENVS = 4096  # of a batch

# What DI-engine writes into every section of a part.
PART: dict[str, Rule] = {'type': TEXT, 'cfg_type': TEXT, 'import_names': list_of(TEXT)}

_POSITIONS = ('before_run', 'before_iter', 'after_iter', 'after_run')
_SHORT_HOOKS: dict[str, Rule] = {
    'load_ckpt_before_run': TEXT,
    'log_show_after_iter': COUNT,
    'save_ckpt_after_iter': COUNT,
    'save_ckpt_after_run': FLAG,
    'log_reduce_after_iter': FLAG,
}
HOOK: Schema = dict(
    name=TEXT,
    type=TEXT,
    priority=integer(0, 1000),
    position=choice(*_POSITIONS),
    ext_args=SECTION,
)
# Under its short name a hook may also be a section; but for the one whose path our policy reads.
HOOKS: dict[str, Rule] = {name: rule if rule is TEXT else union(rule, SECTION) for name, rule in _SHORT_HOOKS.items()}
LEARNER: Schema = dict(
    PART,
    train_iterations=COUNT,
    dataloader=dict(num_workers=integer(0, 1024)),
    log_policy=FLAG,
    hook=SECTION,
    load_path=optional(TEXT),  # the checkpoint that DI-engine's eval plays, where its command names none
)

# Of DI-engine's collector, and merged into every other one where a run's saved config is played.
COLLECTOR_REST: Schema = dict(deepcopy_obs=FLAG, transform_obs=FLAG, get_train_sample=FLAG)
_EPISODE_COLLECTOR: Schema = dict(PART, collect_print_freq=COUNT, reward_shaping=FLAG, **COLLECTOR_REST)
COLLECTORS: Mapping[str, Schema] = {'episode': _EPISODE_COLLECTOR, 'sample': _EPISODE_COLLECTOR}

# DI-engine merges the defaults of its buffer 'advanced' into every other one where a run's saved config is played.
_LEFT = dict(max_use=INF, max_staleness=INF, enable_track_used_data=False, deepcopy=False)
BUFFER_REST: Schema = dict(
    {
        name: choice(default, expected=f"no {name!r}, which DI-engine's buffer 'advanced' reads")
        for name, default in _LEFT.items()
    },
    thruput_controller=SECTION,
    monitor=SECTION,
)
_PRIORITY: Schema = dict(
    alpha=number(0., 100.),
    beta=number(0., 1.),
    anneal_step=integer(0, 10 ** 12, 'train iters'),
)

_NAIVE_BUFFER: Schema = dict(
    {
        **PART,
        **BUFFER_REST,
        **_PRIORITY
    },
    replay_buffer_size=REPLAY_BUFFER_SIZE,
    deepcopy=FLAG,
    enable_track_used_data=FLAG,
    periodic_thruput_seconds=SECONDS,
)
_ADVANCED_BUFFER: Schema = dict(
    PART,
    replay_buffer_size=REPLAY_BUFFER_SIZE,
    max_use=number(1, INF),
    max_staleness=number(0., INF, 'train iters'),
    **_PRIORITY,
    enable_track_used_data=FLAG,
    deepcopy=FLAG,
    thruput_controller=dict(
        push_sample_rate_limit=dict(max=number(0., INF, above=True), min=number(0., 10 ** 9)),
        window_seconds=SECONDS,
        sample_min_limit_ratio=number(0., 10 ** 9),
    ),
    monitor=dict(
        sampled_data_attr=dict(average_range=COUNT, print_freq=COUNT),
        periodic_thruput=dict(seconds=SECONDS),
    ),
)
BUFFERS: Mapping[str, Schema] = {'naive': _NAIVE_BUFFER, 'advanced': _ADVANCED_BUFFER}

EVALUATIONS: dict[str, Rule] = {  # of every evaluator: DI-engine fills them in from section env
    'n_episode': integer(1, 10 ** 6),
    'stop_value': number(0., INF, above=True),
}
EVALUATOR_DISPLAY: Schema = dict(  # of DI-engine's evaluator, and merged into every other one
    render=dict(render_freq=integer(-1, 10 ** 9), mode=choice('envstep', 'train_iter')),
    figure_path=optional(TEXT),
)
EVALUATORS: Mapping[str, Schema] = {
    'interaction': dict(PART, eval_freq=integer(1, 10 ** 9, 'train iters'), **EVALUATIONS, **EVALUATOR_DISPLAY)
}

# Of all managers, ours as well, so that changing the type leaves a config valid.
MANAGER: Schema = dict(
    PART,
    episode_num=number(1, INF),
    max_retry=integer(1, 10 ** 6),
    retry_type=choice('reset', 'renew'),
    auto_reset=FLAG,
    step_timeout=optional(SECONDS),
    reset_timeout=optional(SECONDS),
    retry_waiting_time=number(0., 10 ** 6, 's'),
    shared_memory=FLAG,
    copy_on_get=FLAG,
    context=choice('fork', 'spawn', 'forkserver'),
    wait_num=number(1, INF),
    step_wait_timeout=optional(SECONDS),
    connect_timeout=SECONDS,
    reset_inplace=FLAG,
)
MANAGERS: Mapping[str, Schema] = {name: MANAGER for name in ('base', 'subprocess', 'async_subprocess')}
