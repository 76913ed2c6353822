"""
Lets code that imports SMAC play on the simulator instead, unchanged:

    python -m ding_qmix.envs.replace_smac src/main.py --config=qmix --env-config=sc2 with env_args.map_name=3m

runs a script whose ``from smac.env import StarCraft2Env`` gives ``ding_qmix.envs.pymarl.StarCraft2Env``. With
``--module envs.starcraft`` before the script a copy of SMAC in the script's own sources is replaced as well.
"""
import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Optional

from ding_qmix.envs.pymarl import MultiAgentEnv, StarCraft2Env
from ding_qmix.smac.scenarios import SCENARIOS, get_scenario


def replace_smac(*modules: str) -> None:
    """
    Overview:
        Let imports of SMAC, from now on and in this process and those it forks, give the simulator.
    Arguments:
        - modules: other names under which code imports StarCraft2Env, such as 'envs.starcraft' in PyMARL2
    Raises:
        - RuntimeError: SMAC was imported already
    """
    env = dict(StarCraft2Env=StarCraft2Env, MultiAgentEnv=MultiAgentEnv)
    maps = dict(get_map_params=get_map_params, map_param_registry={name: get_map_params(name) for name in SCENARIOS})
    contents: dict[str, dict[str, Any]] = {
        'smac': {},
        'smac.env': env,
        'smac.env.multiagentenv': dict(MultiAgentEnv=MultiAgentEnv),
        'smac.env.starcraft2': {},
        'smac.env.starcraft2.starcraft2': env,
        'smac.env.starcraft2.maps': maps,
        'smac.env.starcraft2.maps.smac_maps': dict(maps, get_smac_map_registry=lambda: maps['map_param_registry']),
        **{name: env
           for name in modules},
    }
    imported = [name for name in contents if name in sys.modules]
    if imported:
        raise RuntimeError(f'replace_smac: {imported[0]} is imported already; call replace_smac before anything else')
    for name, content in contents.items():
        module = ModuleType(name, 'Stands in for SMAC; see ding_qmix.envs.replace_smac.')
        module.__path__ = []  # a package, whose modules are those here
        vars(module).update(content)
        sys.modules[name] = module
        parent, _, child = name.rpartition('.')
        if parent in contents:
            setattr(sys.modules[parent], child, module)


def get_map_params(map_name: str) -> dict[str, Any]:
    """
    Overview:
        Return what SMAC's registry of maps tells of one.
    Raises:
        - ValueError: unknown map
    """
    scenario = get_scenario(map_name)
    return dict(
        n_agents=scenario.n_agents,
        n_enemies=scenario.n_enemies,
        limit=scenario.episode_limit,
        a_race=scenario.ally_race,
        b_race=scenario.enemy_race,
        unit_type_bits=len(scenario.ally_slots),
        map_type=scenario.map_type,
    )


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Replace SMAC and run a script as ``python script ...`` would."""
    parser = argparse.ArgumentParser(prog='python -m ding_qmix.envs.replace_smac', description=__doc__)
    parser.add_argument('--module', action='append', default=[], help='another name of StarCraft2Env\'s module')
    parser.add_argument('script')
    parser.add_argument('arguments', nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    replace_smac(*given.module)
    sys.argv = [given.script, *given.arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(given.script))
    runpy.run_path(given.script, run_name='__main__')


if __name__ == '__main__':
    main()
