"""The check of a whole config: parts by type, rules between sections, and that a pipeline's start checks as well."""
import copy
import inspect
from typing import Any

import pytest
from ding.config import compile_config
from ding.utils import BUFFER_REGISTRY, ENV_MANAGER_REGISTRY, SERIAL_COLLECTOR_REGISTRY, SERIAL_EVALUATOR_REGISTRY
from ding.worker import BaseLearner
from easydict import EasyDict

from ding_qmix.config import make_config
from ding_qmix.config_check import check_config
from ding_qmix.ding_compat import DingQMix
from ding_qmix.ding_compat.config import make_ding_config
from ding_qmix.envs import SMACEnv
from ding_qmix.schema.ding_engine import BUFFERS, COLLECTORS, EVALUATORS, HOOKS, LEARNER, MANAGERS


@pytest.mark.unittest
@pytest.mark.parametrize(
    'given, message', [
        (dict(env=5), r'config env: 5, expected a section'),
        (dict(policy=[]), r'config policy: \[\], expected a section'),
        (dict(create=3), r'config create: 3, expected a section'),
        (dict(exp_name=7), r'config exp_name: 7, expected a string'),
        (dict(map_name=['3m']), r"config env\.map_name: \['3m'\]"),
        (dict(env=dict(stop_value=float('nan'))), r'config env\.stop_value: nan, expected a number above 0'),
        (dict(env=dict(collector_env_num='8')), r"config env\.collector_env_num: '8', expected an integer in \[1, "),
        (dict(env=dict(reward_scale='True')), r"config env\.reward_scale: 'True', expected True or False"),
        (dict(env=dict(reward_scale_rate=0)), r'config env\.reward_scale_rate: 0, expected a number in \(0, '),
        (dict(env=dict(calibration=dict(slide_gain=float('inf')))), r'config env\.calibration\.slide_gain: inf'),
        (dict(env=dict(calibration=dict(jitter_low=3.))), r'calibration\.jitter_low: 3\.0, but jitter_high: 2\.0'),
        (dict(env=dict(manager=dict(retry_type='x'))), r"config env\.manager\.retry_type: 'x', expected one of"),
        (dict(policy=dict(learn=3)), r'config policy\.learn: 3, expected a section'),
        (dict(policy=dict(model=3)), r'config policy\.model: 3, expected a section'),
        (dict(policy=dict(model=dict(mixer='no'))), r"config policy\.model\.mixer: 'no', expected True or False"),
        (dict(policy=dict(learn=dict(batch_size='x'))), r"config policy\.learn\.batch_size: 'x', expected an integer"),
        (dict(policy=dict(learn=dict(batch_size=True))), r'config policy\.learn\.batch_size: True, expected'),
        (dict(policy=dict(learn=dict(learner=5))), r'config policy\.learn\.learner: 5, expected a section'),
        (dict(policy=dict(learn=dict(learner=dict(hok={})))), r"policy\.learn\.learner: unknown key 'hok'.*'hook'"),
        (
            dict(policy=dict(learn=dict(learner=dict(hook=dict(log_show_after_iter='x'))))
                 ), r"learner\.hook\.log_show_after_iter: 'x', expected an integer"
        ),
        (
            dict(policy=dict(learn=dict(learner=dict(hook=dict(log_sho_after_iter=5))))
                 ), r'learner\.hook\.log_sho_after_iter: 5, expected a section'
        ),
        (
            dict(policy=dict(learn=dict(learner=dict(hook=dict(save_run=dict(type='ding_qmix_sav_run')))))
                 ), r"hook\.save_run\.type: unknown hook 'ding_qmix_sav_run'; did you mean 'ding_qmix_save_run'"
        ),
        (
            dict(policy=dict(learn=dict(learner=dict(hook=dict(mine=dict(name='a')))))
                 ), r'hook\.mine: lacks position, type'
        ),
        (dict(policy=dict(eval=dict(evaluator=dict(eval_freq=0)))), r'policy\.eval\.evaluator\.eval_freq: 0'),
        (
            dict(policy=dict(learn=dict(batch_size=64), other=dict(replay_buffer=dict(replay_buffer_size=32)))
                 ), r'learn\.batch_size: 64, but policy\.other\.replay_buffer\.replay_buffer_size: 32; .* never holds'
        ),
        (dict(policy=dict(other=dict(replay_buffer=dict(max_rows=63)))), r'max_rows: 63, but policy\.learn\.batch_si'),
        (
            dict(policy=dict(learn=dict(batch_size=2), other=dict(replay_buffer=dict(max_rows=60)))
                 ), r'max_rows: 60, but a sample of map 3m takes up to 61 rows'
        ),
        (dict(create=dict(collector=dict(type='episod'))), r"collector\.type: unknown type 'episod'.*'episode'"),
        (dict(create=dict(collectr={})), r"config create_config: unknown key 'collectr'; did you mean 'collector'"),
        (dict(create=dict(evaluator=dict(import_names=['ding_qmixx']))), r"import_names: there is no module 'ding_qm"),
        (dict(pipeline='ding', policy=dict(collect=dict(n_episode=4))), r'collect\.n_episode: 4, but env\.collector_e'),
        (dict(pipeline='ding', env=dict(n_evaluator_episode=4)), r'n_evaluator_episode: 4, but env\.evaluator_env_num'),
        (
            dict(pipeline='ding', create=dict(collector=dict(get_train_sample=False)
                                              )), r'collector\.get_train_sample: False, but policy ding_qmix needs'
        ),
    ]
)
def test_mistake_is_named_where_the_config_is_made(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_config(**{'map_name': '3m', **given})


@pytest.mark.unittest
@pytest.mark.parametrize('policy', [dict(learn=dict(clip_value=float('inf'))), dict(learn=dict(weight_decay=0))])
def test_infinity_where_it_means_never_and_integers_for_numbers_are_taken(policy: dict) -> None:
    make_config('3m', env=dict(stop_value=float('inf')), policy=policy)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'change, message', [
        (lambda main, create: create.pop('policy'), r'create_config\.policy is missing'),
        (lambda main, create: create.collector.pop('type'), r'create_config\.collector\.type is missing'),
        (lambda main, create: main.env.pop('map_name'), r'env\.map_name is missing'),
        (lambda main, create: main.policy.model.pop('agent_num'), r'policy\.model .*agent_num=None \(map: 3\)'),
        (lambda main, create: main.policy.update(type='qmix'), r"policy\.type: 'qmix', expected 'ding_qmix' as in"),
        (lambda main, create: main.env.update(special_global_state=True), r'env\.special_global_state: True, but'),
    ]
)
def test_config_that_was_changed_afterwards_is_refused_by_name(change: Any, message: str) -> None:
    main, create = make_config('3m')
    change(main, create)
    with pytest.raises(ValueError, match=message):
        check_config(main, create)


@pytest.mark.unittest
def test_compiled_config_is_accepted() -> None:
    for main, create in (make_config('3m'), make_config('3m', pipeline='ding'), make_ding_config('3m', 'ppo')):
        compiled = compile_config(copy.deepcopy(main), auto=True, create_cfg=copy.deepcopy(create), save_cfg=False)
        check_config(compiled, create)


@pytest.mark.unittest
def test_of_other_policies_only_their_own_section_is_theirs_to_judge() -> None:
    make_ding_config('3m', 'ppo', policy=dict(learn=dict(whatever=5)))
    with pytest.raises(ValueError, match=r'env\.reward_win: -1, expected'):
        make_ding_config('3m', 'ppo', env=dict(reward_win=-1))
    with pytest.raises(ValueError, match=r'policy\.model: 4, expected a section'):
        make_ding_config('3m', 'ppo', policy=dict(model=4))
    with pytest.raises(ValueError, match='unknown policy'):
        make_ding_config('3m', ['ppo'])  # type: ignore[arg-type]


@pytest.mark.unittest
def test_pipeline_without_a_check_before_it_is_stopped_by_the_first_part() -> None:
    with pytest.raises(ValueError, match=r'env\.stop_value: -1, expected'):
        SMACEnv.create_collector_env_cfg(EasyDict(map_name='3m', stop_value=-1))


@pytest.mark.unittest
def test_declared_keys_of_ding_engines_parts_are_all_of_its_keys() -> None:
    tables = (
        (COLLECTORS, SERIAL_COLLECTOR_REGISTRY), (BUFFERS, BUFFER_REGISTRY), (EVALUATORS, SERIAL_EVALUATOR_REGISTRY),
        (MANAGERS, ENV_MANAGER_REGISTRY)
    )
    for schemas, registry in tables:
        for name, schema in schemas.items():
            assert registry[name].config.keys() <= schema.keys()
    assert BaseLearner.config.keys() <= LEARNER.keys() and BaseLearner.config['hook'].keys() <= HOOKS.keys()


@pytest.mark.unittest
def test_declared_keys_of_the_model_are_its_arguments() -> None:
    declared = set(DingQMix.schema) - {'type', 'cfg_type', 'import_names'}
    assert declared == set(inspect.signature(DingQMix).parameters)
