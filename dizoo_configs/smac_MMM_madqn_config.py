"""DI-engine's multi-agent DQN on map MMM. Train: ``ding -m serial -c FILE``, or run this file with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'madqn',
    exp_name='smac_MMM_madqn_seed0',
    env=dict(collector_env_num=4, evaluator_env_num=8, n_evaluator_episode=32, special_global_state=True),
    policy=dict(
        nstep=1,
        model=dict(hidden_size_list=[256, 256], global_cooperation=True),
        learn=dict(
            update_per_collect=20,
            batch_size=64,
            learning_rate=0.0005,
            clip_value=5,
            double_q=False,
            target_update_theta=0.008,
            discount_factor=0.95,
        ),
        collect=dict(n_episode=32, unroll_len=10),
        eval=dict(evaluator=dict(eval_freq=100)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=10000),
            # Not 15000: one state per agent makes a chunk large, and 5000 already take 2 GB.
            replay_buffer=dict(replay_buffer_size=5000),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
