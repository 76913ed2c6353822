"""QMIX on SMAC's map MMM. Train: ``ding -m serial -c smac_MMM_qmix_config.py``, or run this file with python."""
from ding_qmix.config import make_config

main_config, create_config = make_config(
    'MMM',
    exp_name='smac_MMM_qmix_seed0',
    env=dict(
        collector_env_num=32,
        evaluator_env_num=32,
        n_evaluator_episode=32,
        stop_value=2.,  # above 1: use the whole budget, so that runs can be compared
    ),
    policy=dict(
        model=dict(hidden_size_list=[64], mixer=True, lstm_type='gru', mixing_embed_dim=32),
        learn=dict(
            update_per_collect=20,
            batch_size=32,
            optimizer='adam',
            learning_rate=0.001,
            clip_value=10.,
            discount_factor=0.99,
            double_q=True,
            td_lambda=0.6,
            target_update_freq=200,
        ),
        collect=dict(n_episode=32, unroll_len=0),
        eval=dict(evaluator=dict(eval_env_step_freq=20000)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=50000),
            replay_buffer=dict(replay_buffer_size=5000),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
