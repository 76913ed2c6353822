"""
QMIX on SMAC's map MMM. Train: ``ding -m serial -c FILE --env-step 1000000``, or run this file with python.

Shows every hyper-parameter that one would tune, with its default (ding_qmix/hyper_parameters.py and QMIXPolicy.config),
which all maps share. The configs of the other maps name only what differs from it.
"""
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
        model=dict(
            hidden_size_list=[64],
            mixer=True,  # False: VDN
            lstm_type='gru',
            mixing_embed_dim=32,
        ),
        learn=dict(
            update_per_collect=8,
            batch_size=32,  # [episodes]
            optimizer='adam',
            learning_rate=0.0007,
            clip_value=10.,
            discount_factor=0.99,
            double_q=True,
            td_lambda=0.6,
            target_update_freq=100,  # [train iters]
        ),
        collect=dict(
            n_episode=32,
            unroll_len=0,  # whole episodes
        ),
        eval=dict(evaluator=dict(eval_env_step_freq=10000)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=100000),  # [env steps]
            replay_buffer=dict(replay_buffer_size=5000),  # [episodes]
        ),
    ),
)
if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
