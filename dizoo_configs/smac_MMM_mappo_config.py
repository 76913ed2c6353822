"""MAPPO, DI-engine's multi-agent PPO, on map MMM. Train: ``ding -m serial_onpolicy -c FILE``, or with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'ppo',
    exp_name='smac_MMM_mappo_seed0',
    env=dict(collector_env_num=8, evaluator_env_num=8, n_evaluator_episode=32, special_global_state=True),
    policy=dict(
        multi_agent=True,
        action_space='discrete',
        model=dict(action_space='discrete'),
        learn=dict(
            epoch_per_collect=5,
            batch_size=320,
            learning_rate=0.0005,
            value_weight=0.5,
            entropy_weight=0.01,
            clip_ratio=0.2,
            adv_norm=False,
            value_norm=True,
            ppo_param_init=True,
            grad_clip_type='clip_norm',
            grad_clip_value=10,
            ignore_done=False,
        ),
        collect=dict(n_sample=3200, unroll_len=1, discount_factor=0.99, gae_lambda=0.95),
        eval=dict(evaluator=dict(eval_freq=50)),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline_onpolicy
    serial_pipeline_onpolicy((main_config, create_config), seed=0, max_env_step=2000000)
