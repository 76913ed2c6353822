"""
This package's QMIX on map MMM with DI-engine's own env manager, collector, buffer and evaluator: for those who bring
parts of their own. The same policy is faster on the parts of smac_MMM_qmix_config.py.
"""
from ding_qmix.config import make_config

main_config, create_config = make_config(
    'MMM',
    road='stock',
    exp_name='smac_MMM_qmix_stock_seed0',
    env=dict(collector_env_num=32, evaluator_env_num=32, n_evaluator_episode=32, stop_value=2.),
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
        eval=dict(evaluator=dict(eval_freq=200)),  # [train iters]; 10 collections, about 20000 env steps
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=50000),
            replay_buffer=dict(replay_buffer_size=5000),
        ),
    ),
    create=dict(env_manager=dict(type='subprocess')),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
