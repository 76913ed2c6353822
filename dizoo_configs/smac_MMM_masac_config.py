"""MASAC, DI-engine's multi-agent discrete SAC, on map MMM. Train: ``ding -m serial -c FILE``, or with python."""
from ding_qmix.ding_compat.config import make_ding_config

main_config, create_config = make_ding_config(
    'MMM',
    'discrete_sac',
    exp_name='smac_MMM_masac_seed0',
    env=dict(
        collector_env_num=8,
        evaluator_env_num=8,
        n_evaluator_episode=32,
        special_global_state=True,
        death_mask=True,
    ),
    policy=dict(
        multi_agent=True,
        random_collect_size=0,
        model=dict(
            # DI-engine's own model, 'discrete_maqac', does not take what its policy gives it.
            type='ding_discrete_maqac',
            import_names=['ding_qmix'],
            twin_critic=True,
            actor_head_hidden_size=256,
            critic_head_hidden_size=256,
        ),
        learn=dict(
            update_per_collect=50,
            batch_size=320,
            learning_rate_q=0.0005,
            learning_rate_policy=0.0005,
            learning_rate_alpha=0.0005,
            target_theta=0.005,
            discount_factor=0.99,
            alpha=0.2,
            auto_alpha=True,
            log_space=True,
            ignore_done=False,
        ),
        collect=dict(n_sample=1600, unroll_len=1),
        eval=dict(evaluator=dict(eval_freq=50)),
        other=dict(
            eps=dict(type='linear', start=1., end=0.05, decay=100000),
            # Not 1000000: a step of MMM takes 25 kB, so that would need more memory than most machines have.
            replay_buffer=dict(replay_buffer_size=50000),
        ),
    ),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
