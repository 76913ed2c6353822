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
        model=dict(
            hidden_size_list=[64],
            mixer=True,  # False: VDN
            lstm_type='gru',
            mixing_embed_dim=32,  # as in the paper and PyMARL
        ),
        learn=dict(
            update_per_collect=8,  # 32 episodes collected, 8 x 32 trained on: each is seen 8 times on average
            batch_size=32,  # [episodes]
            optimizer='adam',  # with td_lambda 0.6 as in PyMARL2 (arXiv:2102.03479)
            learning_rate=0.0007,
            clip_value=10.,
            discount_factor=0.99,
            double_q=True,
            td_lambda=0.6,
            target_update_freq=100,  # [train iters]
            learner=dict(hook=dict(log_show_after_iter=1000)),  # [train iters] DI-engine's table of losses
        ),
        collect=dict(
            n_episode=32,
            unroll_len=0,  # whole episodes
        ),
        eval=dict(evaluator=dict(eval_env_step_freq=20000)),
        other=dict(
            # 100k env steps as in PyMARL2; tuning runs with 50k more often stayed long with rushing in and losing
            eps=dict(type='linear', start=1., end=0.05, decay=100000),
            replay_buffer=dict(replay_buffer_size=5000),  # [episodes]
        ),
    ),
)
if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
