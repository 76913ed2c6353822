"""DI-engine's CollaQ on map MMM. Train: ``ding -m serial -c FILE``, or run this file with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'collaq',
    exp_name='smac_MMM_collaq_seed0',
    env=dict(collector_env_num=16, evaluator_env_num=8, n_evaluator_episode=32, obs_alone=True),
    policy=dict(
        model=dict(hidden_size_list=[128], attention=False, attention_size=32, mixer=True, lstm_type='gru'),
        learn=dict(
            update_per_collect=20,
            batch_size=32,
            learning_rate=0.0005,
            clip_value=5,
            double_q=True,
            target_update_theta=0.008,
            discount_factor=0.95,
            collaq_loss_weight=1.0,
        ),
        collect=dict(n_episode=32, unroll_len=10),
        eval=dict(evaluator=dict(eval_freq=100)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=10000),
            # Not 15000: three kinds of obs and of hidden states, and 5000 chunks already take 2 GB.
            replay_buffer=dict(replay_buffer_size=5000),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
