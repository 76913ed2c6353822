"""
The check of a whole config: every part of a run is found in DI-engine's registries, as the pipeline will find it, and
looks at its own section. Of DI-engine's own parts those are checked whose keys are declared in
``ding_qmix.schema.ding_engine``.
"""
import importlib.util
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ding.utils import (
    BUFFER_REGISTRY,
    ENV_MANAGER_REGISTRY,
    ENV_REGISTRY,
    MODEL_REGISTRY,
    POLICY_REGISTRY,
    SERIAL_COLLECTOR_REGISTRY,
    SERIAL_EVALUATOR_REGISTRY,
)

from ding_qmix.schema import ANYTHING, FOLDER, SECTION, Rule, Schema, check_section, check_value, choice, merge
from ding_qmix.schema.ding_engine import BUFFERS, COLLECTORS, EVALUATORS, MANAGERS, PART
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.smac.view_options import ViewOptions, make_view_options
from ding_qmix.spec import EnvSpec
from ding_qmix.utils.keys import check_keys

OUR_POLICIES = ('ding_qmix', 'ding_qmix_command')


class Kind(NamedTuple):
    """One kind of part."""
    registry: Mapping[str, Any]  # its classes by type
    section: str  # where its config stands in main_config
    ding: Mapping[str, Schema] = {}  # DI-engine's own ones


KINDS: dict[str, Kind] = {  # by name in create_config
    'env': Kind(ENV_REGISTRY, 'env'),
    'env_manager': Kind(ENV_MANAGER_REGISTRY, 'env.manager', MANAGERS),
    'policy': Kind(POLICY_REGISTRY, 'policy'),
    'collector': Kind(SERIAL_COLLECTOR_REGISTRY, 'policy.collect.collector', COLLECTORS),
    'evaluator': Kind(SERIAL_EVALUATOR_REGISTRY, 'policy.eval.evaluator', EVALUATORS),
    'replay_buffer': Kind(BUFFER_REGISTRY, 'policy.other.replay_buffer', BUFFERS),
}
_SECTIONS = tuple((name, KINDS[name]) for name in ('env', 'policy'))
_SIZED_BY = ('env.map_name', 'env.obs_style', *(f'env.{name}' for name in ViewOptions._fields))
_MODEL = Kind(MODEL_REGISTRY, 'policy.model')
# Of configs for other pipelines of DI-engine; theirs to judge.
_OTHER_MAIN = ('seed', 'reward_model', 'world_model', 'system')
_OTHER_CREATE = ('learner', 'reward_model', 'world_model', 'comm_learner', 'comm_collector', 'commander')


def check_config(main_config: Any, create_config: Any) -> None:
    """
    Overview:
        Check both configs of a run before anything of it is built. Each key is refused by name if its value has the
        wrong type or is out of range, if nobody reads it, or if it makes a combination that never trains.
        ``make_config`` and ``make_ding_config`` do this by themselves; call it for configs that were written or
        changed without them. Of DI-engine's own policies everything but their section is checked.
    Arguments:
        - main_config, create_config: as DI-engine's pipelines take them; keys that are left out have their default
    Raises:
        - ValueError: names the path of a key, what came, what was expected, and the nearest known key
        - FileNotFoundError: a checkpoint or run to go on from is not there
    """
    _check_create(create_config)
    check_value('main_config', main_config, SECTION)
    main: dict[str, Rule] = {
        'exp_name': FOLDER,
        'env': SECTION,
        'policy': SECTION,
        **dict.fromkeys(_OTHER_MAIN, ANYTHING)
    }
    check_section('main_config', main_config, main)
    whole = _with_types(main_config, create_config)
    check_part('env', 'env', whole['env'])
    if whole['policy'].get('type') in OUR_POLICIES:
        check_part('policy', 'policy', whole['policy'])
        if whole['env'].get('type') != 'ding_smac':
            return
        env, policy = (merge(kind.registry[whole[name]['type']].config, whole[name]) for name, kind in _SECTIONS)
        _check_pipeline(env, {'model': {}, **policy})


def check_part(kind: str, path: str, given: Any) -> None:
    """
    Overview:
        Check the section of one part, or what is given of it; without a type in it only that it is a section.
    Arguments:
        - kind: name in create_config, or 'model'
        - path: of the section, for messages
        - given: the section
    Raises:
        - ValueError: see ``check_config``
    """
    check_value(path, given, SECTION)
    where = _MODEL if kind == 'model' else KINDS[kind]
    if 'import_names' in given:
        _check_imports(path, given['import_names'])
    if 'type' not in given:
        return
    part = _class_of(f'{path}.type', where.registry, given['type'], given.get('import_names', ()))
    if part is not None and hasattr(part, 'check_config'):
        part.check_config(given, path)
    elif given['type'] in where.ding:
        check_section(path, given, where.ding[given['type']], getattr(part, 'config', ()))


def model_sizes(spec: EnvSpec) -> dict[str, Any]:
    """Return the sizes of ``policy.model`` for a map, under DI-engine's names."""
    return dict(
        agent_num=spec.n_agents,
        obs_shape=spec.obs_dim,
        global_obs_shape=spec.state_dim,
        action_shape=spec.n_actions,
        hidden_size_list=[64],
    )


def check_model_sizes(model: dict[str, Any], spec: EnvSpec) -> None:
    """
    Overview:
        Compare the sizes in ``policy.model`` with the map's.
    Raises:
        - ValueError: names every size that is off, with both numbers
    """
    sizes = {key: value for key, value in model_sizes(spec).items() if key != 'hidden_size_list'}
    wrong = [f'{k}={model.get(k)} (map: {size})' for k, size in sizes.items() if model.get(k) not in (size, [size])]
    if wrong:
        raise ValueError(
            f'config policy.model does not fit map {spec.map_name} with obs style {spec.obs_style!r}: '
            f'{", ".join(wrong)}; sizes follow from {", ".join(_SIZED_BY)}; leave them out and let '
            'ding_qmix.config.make_config fill them in'
        )


def _check_create(create_config: Any) -> None:
    """ValueError unless create_config names parts that there are; what else it sets is checked with their sections."""
    check_value('create_config', create_config, SECTION)
    check_keys('create_config', create_config, (*KINDS, *_OTHER_CREATE))
    for name in ('env', 'env_manager', 'policy'):
        if name not in create_config:
            raise ValueError(f'config create_config.{name} is missing; name its type, as in dict(type=...)')
    for name in KINDS:
        if name in create_config:
            path, given = f'create_config.{name}', create_config[name]
            check_value(path, given, SECTION)
            if 'type' not in given:
                raise ValueError(
                    f'config {path}.type is missing, given: {list(given)}; name a type, as in dict(type=...)'
                )
            check_part(name, path, given)


def _with_types(main_config: Mapping[str, Any], create_config: Mapping[str, Any]) -> dict[str, Any]:
    """Return main_config below what create_config sets, as DI-engine's pipelines merge them."""
    whole: dict[str, Any] = {'env': {}, 'policy': {}}
    for name, kind in KINDS.items():
        section: Any = create_config.get(name, {})
        for key in reversed(kind.section.split('.')):
            section = {key: section}
        whole = merge(whole, section)
    merged = merge(whole, main_config)
    for name, kind in KINDS.items():
        if name in create_config:
            _check_same_type(kind.section, merged, create_config[name]['type'])
    return merged


def _check_same_type(path: str, config: Any, created: str) -> None:
    """ValueError if main_config names another type of a part than create_config, by which the part is built."""
    for name in path.split('.'):
        config = config.get(name) if isinstance(config, Mapping) else None
    if isinstance(config, Mapping):
        types = [created, f'{created}_command']
        check_value(f'{path}.type', config['type'], choice(*types, expected=f'{created!r} as in create_config'))


def _check_pipeline(env: dict[str, Any], policy: dict[str, Any]) -> None:
    """Rules between section env and section policy, both whole."""
    if env['map_name'] is None:
        raise ValueError("config env.map_name is missing; name a SMAC map, such as '3m' or 'MMM'")
    for name in ('obs_alone', 'independent_obs', 'special_global_state'):
        if env[name]:
            raise ValueError(f'config env.{name}: True, but policy ding_qmix takes the plain obs and state')
    spec = make_spec(env['map_name'], obs_style=env['obs_style'], view=make_view_options(env))
    if policy['model'].get('type', 'ding_qmix') == 'ding_qmix':
        check_model_sizes(policy['model'], spec)
    _check_rows(policy, spec)
    collector, evaluator = policy['collect'].get('collector', {}), policy['eval'].get('evaluator', {})
    if collector.get('type') == 'episode':
        _check_episodes('policy.collect.n_episode', policy['collect']['n_episode'], 'collector_env_num', env)
    if evaluator.get('type') == 'interaction':
        _check_episodes('env.n_evaluator_episode', env['n_evaluator_episode'], 'evaluator_env_num', env)


def _check_episodes(path: str, n_episode: int, n_envs: str, env: dict[str, Any]) -> None:
    """DI-engine's own collector and evaluator play one episode or more in each env."""
    if n_episode < env[n_envs]:
        raise ValueError(
            f'config {path}: {n_episode}, but env.{n_envs}: {env[n_envs]}; DI-engine plays one episode or more in each '
            'env, raise the one or lower the other'
        )


def _check_rows(policy: dict[str, Any], spec: EnvSpec) -> None:
    """ValueError if the replay buffer cannot hold the longest sample."""
    buffer, collect = policy['other']['replay_buffer'], policy['collect']
    n_rows = 1 + spec.episode_limit
    if collect['unroll_len'] > 0:
        n_rows = 1 + min(spec.episode_limit, collect['unroll_len'] + collect['burnin_step'])
    if buffer.get('type') == 'ding_qmix_episode' and 0 < buffer.get('max_rows', 0) < n_rows:
        raise ValueError(
            f'config policy.other.replay_buffer.max_rows: {buffer["max_rows"]}, but a sample of map {spec.map_name} '
            f'takes up to {n_rows} rows; raise it, or 0 for 64 rows per sample'
        )


def _check_imports(path: str, names: Any) -> None:
    """ValueError unless all modules can be found; only a name without dots is looked for, which imports nothing."""
    check_value(f'{path}.import_names', names, PART['import_names'])
    for name in names:
        top = name.split('.')[0]
        if name not in sys.modules and (not top or importlib.util.find_spec(top) is None):
            raise ValueError(f'config {path}.import_names: there is no module {name!r}')


def _class_of(path: str, registry: Mapping[str, Any], given: Any, imports: Any) -> Optional[Any]:
    """Return a part's class; None for one that a module not imported yet may register, when the pipeline does that."""
    check_value(path, given, PART['type'])
    if given not in registry and all(name in sys.modules for name in imports):
        check_value(path, given, choice(*registry, noun='type'))
    return registry.get(given) if given in registry else None
