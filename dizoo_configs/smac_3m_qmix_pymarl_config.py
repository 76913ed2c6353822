"""
QMIX with PyMARL's own settings on SMAC's map 3m: one env, one update per episode.
Train: ``ding -m serial -c FILE --env-step 2000000``, or run this file with python.
"""
from ding_qmix.config import make_config

main_config, create_config = make_config('3m', preset='pymarl', exp_name='smac_3m_qmix_pymarl_seed0')

if __name__ == '__main__':
    from ding.entry import serial_pipeline
    serial_pipeline((main_config, create_config), seed=0, max_env_step=2000000)
