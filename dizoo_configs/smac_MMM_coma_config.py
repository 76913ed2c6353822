"""DI-engine's COMA on map MMM. Train: ``ding -m serial -c FILE``, or run this file with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'coma',
    exp_name='smac_MMM_coma_seed0',
    env=dict(collector_env_num=16, evaluator_env_num=8, n_evaluator_episode=32),
    policy=dict(
        model=dict(actor_hidden_size_list=[64]),
        learn=dict(
            update_per_collect=20,
            batch_size=32,
            learning_rate=0.0005,
            target_update_theta=0.001,
            discount_factor=0.99,
            td_lambda=0.8,
            policy_weight=0.001,
            value_weight=1,
            entropy_weight=0.01,
        ),
        collect=dict(n_episode=32, unroll_len=10),
        eval=dict(evaluator=dict(eval_freq=100)),
        other=dict(
            eps=dict(type='exp', start=0.5, end=0.01, decay=200000),
            # COMA is on-policy: a chunk leaves the buffer after few uses, which DI-engine's 'advanced' buffer sees to.
            replay_buffer=dict(replay_buffer_size=5000, max_use=10),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
