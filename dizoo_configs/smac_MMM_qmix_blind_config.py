"""
QMIX on map MMM whose agents see the time and their id alone: what is won without looking, as a baseline.
Train: ``ding -m serial -c FILE --env-step 1000000``, or run this file with python.
"""
from ding_qmix.config import make_config

# The hyper-parameters are the default ones; smac_MMM_qmix_config.py shows them all and how to set them.
main_config, create_config = make_config('MMM', exp_name='smac_MMM_qmix_blind_seed0', env=dict(blind=True))

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=1000000)
