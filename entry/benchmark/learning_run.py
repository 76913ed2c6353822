"""One run of ``learning.py``, in a process of its own: train, play the best policy, write the result."""
import csv
import json
import os
import shutil
import sys
from typing import Any, Optional

from learning_configs import RunSpec, evaluations_path, run_configs

from ding_qmix.run_state import newest_save
from ding_qmix.sim import SIM_VERSION
from ding_qmix.utils.quiet_import import quiet_import
from ding_qmix.utils.report import describe_run, write_json

with quiet_import():
    from ding.entry import eval as ding_eval
    from ding.entry import serial_pipeline, serial_pipeline_onpolicy


def main(args: Optional[list[str]] = None) -> None:
    """Do a run in the working directory; arguments: RunSpec as JSON, path of the result."""
    text, out = sys.argv[1:] if args is None else args
    given = json.loads(text)
    spec = RunSpec(**{**given, 'settings': tuple(given['settings'])})
    train(spec)
    save = newest_save(spec.name)
    if save is not None and save.env_step < spec.env_step:
        sys.exit(f'{spec.name}: stopped at {save.env_step:,} of {spec.env_step:,} env steps')
    rows = read_evaluations(evaluations_path('.', spec.name))
    best = max(rows, key=lambda row: row['win_rate'])  # the first of equal ones, as the best checkpoint
    result = {
        **spec._asdict(),
        **describe_run(),
        'command': spec.command,
        'backend_version': SIM_VERSION if spec.backend == 'sim' else spec.backend,
        'minutes': round(rows[-1]['elapsed_time'] / 60., 2),  # of training and evaluation until the last evaluation
        'evaluations': rows,
        'absolute_win_rate': play_best(spec),
        'best_env_step': best['env_step'],
    }
    write_json(out, result)


def train(spec: RunSpec) -> None:
    """Train to the end, from the newest whole save if there is one."""
    main_config, create_config = run_configs(spec)
    save = newest_save(spec.name) if os.path.isdir(spec.name) else None
    if save is not None and save.env_step >= spec.env_step:
        return
    if save is not None:
        main_config.policy.learn.update(resume_training=True, resume_from=spec.name)
    else:
        shutil.rmtree(spec.name, ignore_errors=True)  # DI-engine would begin another folder beside it
    pipeline = serial_pipeline_onpolicy if create_config.policy.type == 'ppo' else serial_pipeline
    pipeline((main_config, create_config), seed=spec.seed, max_env_step=spec.env_step)


def play_best(spec: RunSpec) -> float:
    """Return the best checkpoint's win rate in greedy episodes that no evaluation has played."""
    main_config, create_config = run_configs(spec)
    main_config.exp_name = f'{spec.name}_best'
    main_config.env.update(
        evaluator_env_num=min(32, spec.absolute_episodes), n_evaluator_episode=spec.absolute_episodes
    )
    main_config.policy.eval.env_num = main_config.env.evaluator_env_num
    best = os.path.join(spec.name, 'ckpt', 'ckpt_best.pth.tar')
    win_rate = float(ding_eval((main_config, create_config), seed=spec.seed + 10 ** 6, load_path=best))
    shutil.rmtree(main_config.exp_name)  # a log of DI-engine's
    return round(win_rate, 4)


def read_evaluations(path: str) -> list[dict[str, Any]]:
    """Return env step, win rate and time of each evaluation, [env steps] and [s]."""
    with open(path, newline='', encoding='utf-8') as file:
        return [
            {
                'env_step': int(row['env_step']),
                'win_rate': round(float(row['win_rate']), 4),
                'elapsed_time': round(float(row['elapsed_time']), 1)
            } for row in csv.DictReader(file)
        ]


if __name__ == '__main__':
    main()
