"""The config of policy ``ding_qmix``: each key with its meaning, its default and what it takes."""
from ding_qmix.policy.fast_path import GRADIENTS
from ding_qmix.schema import FLAG, SECTION, TEXT, Key, Rule, Schema, choice, integer, number, optional
from ding_qmix.schema.ding_engine import MOST_ENVS, PART
from ding_qmix.terminal import TERMINALS

# Keys that DI-engine's pipelines, learner, collectors and commanders read or write beside the policy's own, by section.
_DING_KEYS: dict[str, dict[str, Rule]] = {
    '': {
        **{name: rule
           for name, rule in PART.items() if name != 'type'},
        'model': SECTION,
        'multi_gpu': FLAG,
        'bp_update_sync': FLAG,
        'traj_len_inf': FLAG,
        'random_collect_size': integer(0, 10 ** 6),
        'transition_with_policy_data': FLAG,
    },
    'learn': {
        'resume_training': FLAG,
        'multi_gpu': FLAG,
        'ignore_done': FLAG
    },
    'collect': {
        'collector': SECTION,
        'env_num': integer(1, MOST_ENVS),
        'n_sample': optional(integer(1, 10 ** 9)),
    },
    'eval': {
        'evaluator': SECTION,
        'env_num': integer(1, MOST_ENVS)
    },
    'other': {
        'commander': SECTION
    },
}

SCHEMA: Schema = dict(
    # RL policy register name (refer to function "POLICY_REGISTRY").
    type=Key('ding_qmix', choice('ding_qmix', 'ding_qmix_command')),
    # Whether to use cuda for the networks.
    cuda=Key(False, FLAG),
    # QMIX is off-policy.
    on_policy=Key(False, choice(False)),
    # Hand TD errors back to a prioritised replay buffer; set other.replay_buffer.priority as well.
    priority=Key(False, FLAG),
    # Weight samples against the bias of prioritised replay, by the buffer's importance weights.
    priority_IS_weight=Key(False, FLAG),
    learn=dict(
        # How many updates after each collection. More means more off-policy.
        update_per_collect=Key(20, integer(1, 10 ** 6)),
        # How many episodes, or chunks, in a training batch.
        batch_size=Key(32, integer(1, 10 ** 6)),
        # 'rmsprop' (alpha 0.99, eps 1e-5, as in the paper) or 'adam'.
        optimizer=Key('rmsprop', choice('rmsprop', 'adam')),
        # Step size of gradient descent.
        learning_rate=Key(0.0005, number(0., 1., above=True)),
        # L2 penalty on all parameters.
        weight_decay=Key(0., number(0., 1.)),
        # Bound of the gradient's 2-norm; inf for none.
        clip_value=Key(10., number(0., float('inf'), above=True)),
        # Discount of future reward.
        discount_factor=Key(0.99, number(0., 1.)),
        # The online network picks the action that the target network values.
        double_q=Key(True, FLAG),
        # Lambda of the return: 0 is 1-step, 1 is Monte-Carlo.
        td_lambda=Key(0., number(0., 1.)),
        # Copy the online to the target network this often. 0 when target_update_theta is set.
        target_update_freq=Key(200, integer(0, 10 ** 9, 'train iters')),
        # Share of the online network mixed into the target network at every update. 0 when freq is set.
        target_update_theta=Key(0., number(0., 1.)),
        # Treat the time limit as the end of the battle: nothing follows, no bootstrap.
        timeout_is_terminal=Key(True, FLAG),
        save_run_state=Key(True, FLAG),  # Save the run's whole state, to resume exactly, see docs/reliability.md.
        save_run_seconds=Key(300., number(0., 10 ** 9, 's')),  # Between two saves; 0 never.
        save_run_env_steps=Key(0, integer(0, 10 ** 12, 'env steps')),  # Between two saves; 0 never.
        resume_from=Key('', TEXT),  # Folder (exp_name) of the run that goes on from its newest save; '' a new one.
        # 'progress': a line that shows how far the run is; 'log': as in the log files.
        terminal=Key('progress', choice(*TERMINALS)),
        # DI-engine's learner: its hooks that save, resume, log the choice of ``gradient``, and tell the user.
        learner=Key(
            dict(
                hook=dict(
                    save_run=dict(name='save_run', type='ding_qmix_save_run', priority=30, position='after_run'),
                    load_run=dict(name='load_run', type='ding_qmix_load_run', priority=30, position='before_run'),
                    gradient=dict(name='gradient', type='ding_qmix_log_gradient', priority=40, position='before_run'),
                    begin=dict(name='begin', type='ding_qmix_terminal_begin', priority=50, position='before_run'),
                    end=dict(name='end', type='ding_qmix_terminal_end', priority=50, position='after_run'),
                )
            ), SECTION
        ),
        # Threads of an update on the CPU, one shard of the batch each; 0: one per core, for 4 samples each.
        n_threads=Key(0, integer(0, 1024)),
        # 'autograd': by policy/loss.py and torch's autograd, for any model; 'cpu': by the kernels of fast_cpu,
        # twice as fast; 'auto': by the kernels where they are for the model. A check at the start compares the
        # two. Acting follows: by plain torch with 'autograd'.
        gradient=Key('auto', choice(*GRADIENTS)),
        # Large matrix products of an update in bfloat16, for GPUs; slower on CPUs.
        bf16=Key(False, FLAG),
        **_DING_KEYS['learn'],
    ),
    collect=dict(
        # Episodes of one collection.
        n_episode=Key(32, integer(1, 10 ** 6)),
        # Length of the chunks to train on; 0 trains on whole episodes.
        unroll_len=Key(0, integer(0, 10 ** 4, 'env steps')),
        # Steps before each chunk that warm up the hidden state and are not trained on.
        burnin_step=Key(0, integer(0, 10 ** 4, 'env steps')),
        # Start a chunk from the hidden state of its collection (True) or from zeros (False).
        stored_state=Key(True, FLAG),
        **_DING_KEYS['collect'],
    ),
    eval=_DING_KEYS['eval'],
    other=dict(
        eps=dict(
            type=Key('linear', choice('linear', 'exp', expected="'linear' or 'exp'")),
            # Probability of a random action at the start.
            start=Key(1., number(0., 1.)),
            # Probability of a random action in the end.
            end=Key(0.05, number(0., 1.)),
            # Length of the decay.
            decay=Key(50000, number(0., 10 ** 12, 'env steps', above=True)),
        ),
        # Capacity in samples: episodes, or chunks if collect.unroll_len is set.
        replay_buffer=Key(dict(replay_buffer_size=5000), SECTION),
        **_DING_KEYS['other'],
    ),
    **_DING_KEYS[''],
)
