"""What config_fuzz.py knows of the shipped configs: all keys that there are, and what each is declared to take."""
import copy
from collections.abc import Mapping
from typing import Any, Optional

from easydict import EasyDict

from ding_qmix.config_check import KINDS
from ding_qmix.ding_compat import DingQMix
from ding_qmix.envs import SMACEnv
from ding_qmix.policy.config import SCHEMA
from ding_qmix.schema import ANYTHING, FOLDER, SECTION, Key, Rule, Schema, merge
from ding_qmix.schema.ding_engine import HOOK, HOOKS, LEARNER
from ding_qmix.sim.calibration import Calibration
from ding_qmix.utils.quiet_import import quiet_import

with quiet_import():
    from ding.config import compile_config

# Keys that a compiled config need not have.
_OPTIONAL: dict[str, Any] = dict(
    env=dict(replay_path=None, calibration=Calibration()._asdict()),
    policy=dict(
        model=dict(mixer=True, lstm_type='gru', dueling=False, mixing_embed_dim=None, hypernet_embed_dim=64),
        random_collect_size=0,
        transition_with_policy_data=False,
        learn=dict(multi_gpu=False, ignore_done=False, resume_training=False),
        collect=dict(n_sample=None),
    ),
)


def full_configs(main_config: Any, create_config: Any) -> tuple[Any, Any]:
    """Return a pair of configs with all keys in main_config that DI-engine's pipeline fills in, or that it may have."""
    compiled = compile_config(
        copy.deepcopy(main_config), seed=0, auto=True, create_cfg=copy.deepcopy(create_config), save_cfg=False
    )
    compiled.exp_name = main_config.exp_name
    if create_config.policy.type not in ('ding_qmix', 'ding_qmix_command'):
        return compiled, copy.deepcopy(create_config)
    return EasyDict(merge(_OPTIONAL, compiled)), copy.deepcopy(create_config)


def declared_rule(path: str, main_config: Any, create_config: Any) -> Optional[Rule]:
    """Return what a key is declared to take; None if it is not declared, ANYTHING if it is others' to judge."""
    sections = {name: _schema_of(name, create_config.get(name)) for name in KINDS}
    whole: Schema = {'create_config': sections, 'main_config': {}, 'exp_name': FOLDER, **_main_schema(main_config)}
    entry: Any = whole
    for name in path.split('.'):
        if isinstance(entry, Key):
            entry = entry.rule
        if isinstance(entry, Rule):
            return ANYTHING
        entry = entry.get(name)
    if isinstance(entry, Mapping):
        return SECTION
    return entry.rule if isinstance(entry, Key) else entry


def _main_schema(main_config: Any) -> dict[str, Any]:
    """All that is declared of main_config, for the types of parts that it names."""
    parts: dict[str, Any] = {'env': SMACEnv.schema}
    for name, kind in KINDS.items():
        if name not in ('env', 'policy'):
            parts = merge(parts, _nested(kind.section, _schema_of(name, _section(main_config, kind.section))))
    model = _section(main_config, 'policy.model')
    if isinstance(model, Mapping) and model.get('type', 'ding_qmix') == 'ding_qmix':
        parts = merge(parts, _nested('policy.model', DingQMix.schema))
    hooks = _section(main_config, 'policy.learn.learner.hook')
    long = {name: HOOK
            for name, value in hooks.items() if isinstance(value, Mapping)} if isinstance(hooks, Mapping) else {}
    learner = dict(LEARNER, hook={**HOOKS, **long})
    return merge({'policy': SCHEMA}, parts, _nested('policy.learn.learner', learner))


def _schema_of(name: str, section: Any) -> Any:
    """What is declared of a part, by the type that its section names."""
    part_type = section.get('type') if isinstance(section, Mapping) else None
    kind = KINDS[name]
    if not isinstance(part_type, str) or part_type not in kind.registry:
        return ANYTHING
    if name == 'policy':
        return SCHEMA if part_type == 'ding_qmix' else ANYTHING
    return getattr(kind.registry[part_type], 'schema', kind.ding.get(part_type, ANYTHING))


def _section(config: Any, path: str) -> Any:
    for name in path.split('.'):
        config = config.get(name) if isinstance(config, Mapping) else None
    return config


def _nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split('.')):
        value = {name: value}
    return value
