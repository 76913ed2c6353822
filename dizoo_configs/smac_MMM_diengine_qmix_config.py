"""DI-engine's own QMIX on map MMM. Train: ``ding -m serial -c FILE``, or run this file with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'qmix',
    exp_name='smac_MMM_diengine_qmix_seed0',
    env=dict(collector_env_num=16, evaluator_env_num=8, n_evaluator_episode=32),
    policy=dict(
        model=dict(hidden_size_list=[64], mixer=True, lstm_type='gru', dueling=False),
        learn=dict(
            update_per_collect=20,
            batch_size=32,
            learning_rate=0.0005,
            clip_value=5,
            double_q=False,
            target_update_theta=0.005,
            discount_factor=0.99,
        ),
        collect=dict(n_episode=32, unroll_len=10),
        eval=dict(evaluator=dict(eval_freq=100)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=10000),
            replay_buffer=dict(replay_buffer_size=15000),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
