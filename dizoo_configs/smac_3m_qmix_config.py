"""QMIX on map 3m. Train: ``ding -m serial -c FILE --env-step 2000000``, or run this file with python."""
from ding_qmix.config import make_config

# The hyper-parameters are the default ones; smac_MMM_qmix_config.py shows them all and how to set them.
main_config, create_config = make_config('3m', exp_name='smac_3m_qmix_seed0')

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
