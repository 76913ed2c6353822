"""
QMIX on MMM in DI-engine's own pipeline (its env manager, collector, buffer and evaluator), for those who have parts of
their own for it. The hyper-parameters are those of smac_MMM_qmix_config.py, whose parts run the same policy faster.
"""
from ding_qmix.config import make_config

main_config, create_config = make_config(
    'MMM',
    pipeline='ding',
    exp_name='smac_MMM_qmix_ding_pipeline_seed0',
    env=dict(collector_env_num=8, evaluator_env_num=8),
    policy=dict(eval=dict(evaluator=dict(eval_freq=80))),  # [train iters]; 10 collections, about 20000 env steps
    create=dict(env_manager=dict(type='subprocess')),
)

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
