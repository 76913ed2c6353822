"""
Go on with a training that stopped, killed or not, from its newest whole save, bit for bit as if it had not stopped:

    python entry/resume.py smac_MMM_qmix_seed0 -c dizoo_configs/smac_MMM_qmix_config.py -s 0 --env-step 1000000
"""
import argparse
import os
from typing import Optional

from ding_qmix.run_state import newest_save
from ding_qmix.utils.quiet_import import quiet_import

with quiet_import():
    from ding.config import read_config
    from ding.entry import serial_pipeline


def main(args: Optional[list[str]] = None) -> None:
    """Resume as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('exp_name', help='folder of the run')
    parser.add_argument('-c', '--config', required=True, help='file of the config that the run was started with')
    parser.add_argument('-s', '--seed', type=int, default=0, help='as the run was started with')
    parser.add_argument('--env-step', type=int, default=1_000_000, help='[env steps] end of the whole run')
    given = parser.parse_args(args)
    exp_name = os.path.relpath(given.exp_name)  # DI-engine puts './' before it
    save = newest_save(exp_name)
    if save is not None and save.env_step >= given.env_step:
        print(f'{given.exp_name} has {save.env_step:,} env steps, --env-step {given.env_step:,}: nothing is left to do')
        return
    main_config, create_config = read_config(given.config)
    main_config.exp_name = exp_name
    main_config.policy.learn.update(resume_training=True, resume_from=exp_name)
    serial_pipeline((main_config, create_config), seed=given.seed, max_env_step=given.env_step)


if __name__ == '__main__':
    main()
