"""
Train policies on maps with several seeds, each run in a process of its own, and write what they learned:

    python entry/benchmark/learning.py --maps MMM 3s5z --policies qmix vdn --seeds 0 1 2 3 4 --jobs 2 --out learning

Only what is missing runs: a run that has its result is kept, one that was interrupted goes on from its newest whole
save (DI-engine's own policies have none and begin anew). Policies are those of
dizoo_configs/smac_<map>_<policy>_config.py; where the map has no such file, another map's is moved to it.
docs/benchmark.md says what is in the folder afterwards.
"""
import argparse
import json
import os
import sys
from typing import Optional

from learning_configs import RunSpec, run_configs
from learning_jobs import run_all
from learning_results import read_results, write_results

from ding_qmix.envs.backends import BACKENDS
from ding_qmix.sim import SIM_VERSION
from ding_qmix.smac.scenarios import SCENARIOS


def main(args: Optional[list[str]] = None) -> None:
    """Run what is missing, write the tables; exit status 1 where a run failed."""
    options = _parse(args)
    specs = make_specs(options)
    for spec in {(spec.map_name, spec.policy): spec for spec in specs}.values():
        run_configs(spec)  # an unknown policy or setting shows now, not hours later
    check_version(options.out, options.backend)
    todo = [spec for spec in specs if not is_finished(spec, options.out)]
    sys.stdout.write(f'{len(specs)} runs, {len(specs) - len(todo)} of them are there already\n')
    failed = run_all(todo, options.out, options.work or os.path.join(options.out, 'runs'), options.jobs)
    results = read_results(options.out)
    if results:
        sys.stdout.write(write_results(options.out, results))
    if failed:
        sys.exit(f'{len(failed)} runs did not end well: {", ".join(failed)}')


def make_specs(options: argparse.Namespace) -> list[RunSpec]:
    """Return one run per map, policy and seed, seed by seed, so that all maps have some results early."""
    return [
        RunSpec(
            map_name,
            policy,
            seed,
            options.env_step,
            options.label or policy,
            tuple(options.set),
            options.backend,
            options.threads,
            options.eval_env_steps,
            options.eval_episodes,
            options.absolute_episodes,
        ) for seed in options.seeds for map_name in options.maps for policy in options.policies
    ]


def result_path(out: str, spec: RunSpec) -> str:
    """Return where a run's result is."""
    return os.path.join(out, f'{spec.name}.json')


def is_finished(spec: RunSpec, out: str) -> bool:
    """
    Overview:
        Return whether a run has its result, with the budget that is asked for or more.
    Raises:
        - ValueError: the result has the run's name, but other settings
    """
    path = result_path(out, spec)
    if not os.path.exists(path):
        return False
    with open(path, encoding='utf-8') as file:
        result = json.load(file)
    for key in ('policy', 'settings', 'eval_env_steps', 'eval_episodes'):
        given = getattr(spec, key)
        if result[key] != (list(given) if isinstance(given, tuple) else given):
            raise ValueError(f'{path}: {key}={result[key]!r}, but now {given!r}; choose another --out or --label')
    return result['env_step'] >= spec.env_step


def check_version(out: str, backend: str) -> None:
    """Refuse to add to results of another game: ValueError names both versions."""
    version = SIM_VERSION if backend == 'sim' else backend
    for result in read_results(out):
        if result['backend_version'] != version:
            raise ValueError(
                f'{out} has results of {result["backend"]} {result["backend_version"]}, now runs {backend} {version}; '
                'results of two games do not belong in one table, choose another --out'
            )


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--maps', nargs='+', default=['MMM'], choices=SCENARIOS, metavar='MAP')
    parser.add_argument('--policies', nargs='+', default=['qmix'], metavar='POLICY', help='qmix, vdn, qmix_blind, ...')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument('--env-step', type=int, default=2_000_000, help='[env steps] of each run')
    parser.add_argument('--backend', default='sim', choices=BACKENDS)
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time')
    parser.add_argument('--threads', type=int, default=1, help='of each run')
    parser.add_argument('--eval-env-steps', type=int, default=10_000, help='[env steps] between evaluations')
    parser.add_argument('--eval-episodes', type=int, default=32, help='of an evaluation')
    parser.add_argument('--absolute-episodes', type=int, default=320, help='of the best policy, at the end')
    parser.add_argument('--set', nargs='*', default=[], metavar='KEY=VALUE', help='policy.learn.td_lambda=0.8 ...')
    parser.add_argument('--label', help='name of the policies with what --set changes; needed with it, for one policy')
    parser.add_argument('--out', default='learning', help='folder of the results; small files')
    parser.add_argument('--work', help='folder of logs, checkpoints and saves; OUT/runs unless given')
    options = parser.parse_args(args)
    if (options.set and not options.label) or (options.label and len(options.policies) > 1):
        parser.error('--set needs a --label, and --label one policy')
    if min(options.jobs, options.threads, options.env_step, options.eval_env_steps) < 1:
        parser.error('--jobs, --threads, --env-step and --eval-env-steps: expected 1 or more')
    return options


if __name__ == '__main__':
    main()
