"""make_config: both pipelines, overrides, sizes from the map, and what it refuses."""
import copy

import pytest

from ding_qmix import config
from ding_qmix.config import check_model_sizes, make_config, model_sizes
from ding_qmix.smac.scenarios import make_spec

SIZES_MMM = dict(agent_num=10, obs_shape=186, global_obs_shape=290, action_shape=16)


@pytest.mark.unittest
def test_sizes_come_from_the_map():
    main, _ = make_config('MMM')
    assert {key: main.policy.model[key] for key in SIZES_MMM} == SIZES_MMM


@pytest.mark.unittest
def test_sizes_follow_the_obs_style():
    main, _ = make_config('MMM', env=dict(obs_style='smac'))
    assert main.policy.model.obs_shape == 160 and main.env.obs_style == 'smac'


@pytest.mark.unittest
@pytest.mark.parametrize(
    'pipeline, types', [
        ('batched', ['ding_smac_vector', 'ding_qmix_vector', 'ding_qmix_episode', 'ding_qmix_win_rate']),
        ('ding', ['base', 'episode', 'naive', 'interaction']),
    ]
)
def test_pipeline_names_its_parts(pipeline, types):
    _, create = make_config('3m', pipeline=pipeline)
    assert [create[part].type for part in ('env_manager', 'collector', 'replay_buffer', 'evaluator')] == types
    assert (create.env.type, create.policy.type) == ('ding_smac', 'ding_qmix')


@pytest.mark.unittest
def test_registered_names_are_imported_with_the_package():
    _, create = make_config('3m')
    assert all(part.import_names == ['ding_qmix'] for part in create.values())


@pytest.mark.unittest
def test_dings_collector_cuts_train_samples():
    assert make_config('3m', pipeline='ding')[1].collector.get_train_sample


@pytest.mark.unittest
def test_what_is_given_overrides_and_the_rest_stays():
    main, create = make_config(
        '3m',
        exp_name='mine',
        env=dict(collector_env_num=4, evaluator_env_num=2),
        policy=dict(learn=dict(batch_size=7), model=dict(hidden_size_list=[32, 16])),
        create=dict(env_manager=dict(type='subprocess')),
    )
    assert main.exp_name == 'mine' and main.policy.learn.batch_size == 7
    assert main.policy.model.hidden_size_list == [32, 16] and main.policy.model.agent_num == 3
    assert (main.policy.collect.env_num, main.policy.eval.env_num) == (4, 2)
    assert create.env_manager.type == 'subprocess' and create.collector.type == 'ding_qmix_vector'


@pytest.mark.unittest
def test_one_config_leaves_no_trace_in_the_next():
    pipelines, policy = copy.deepcopy(config._PIPELINES), dict(model=dict(hidden_size_list=[8]))
    given = copy.deepcopy(policy)
    main, create = make_config('3m', policy=policy, create=dict(collector=dict(type='episode')))
    main.policy.model.hidden_size_list.append(9)
    create.evaluator.type = 'interaction'
    assert config._PIPELINES == pipelines and policy == given


@pytest.mark.unittest
def test_exp_name_is_made_from_the_map():
    assert 'smac_3m_' in make_config('3m')[0].exp_name


@pytest.mark.unittest
def test_unknown_pipeline_is_refused_with_the_pipelines():
    with pytest.raises(ValueError, match=r"pipeline 'quick', expected one of .*batched.*ding"):
        make_config('3m', pipeline='quick')


@pytest.mark.unittest
@pytest.mark.parametrize('kwargs', [dict(road='stock'), dict(pipeline='stock'), dict(road='ding')])
def test_old_names_of_a_pipeline_are_taken_with_a_warning(kwargs):
    with pytest.warns(DeprecationWarning, match="use pipeline='ding'"):
        configs = make_config('3m', **kwargs)
    assert configs == make_config('3m', pipeline='ding')


@pytest.mark.unittest
def test_old_name_of_the_batched_pipeline_is_taken_with_a_warning():
    with pytest.warns(DeprecationWarning, match="make_config: road='fast' is deprecated, use pipeline='batched'"):
        configs = make_config('3m', road='fast')
    assert configs == make_config('3m')


@pytest.mark.unittest
def test_unknown_map_is_refused_with_the_nearest_and_the_list():
    with pytest.raises(ValueError, match=r"unknown map 'MMM22'.*'MMM2'.*3s5z"):
        make_config('MMM22')


@pytest.mark.unittest
def test_unknown_obs_style_is_refused():
    with pytest.raises(ValueError, match="obs_style 'pymarl'"):
        make_config('3m', env=dict(obs_style='pymarl'))


@pytest.mark.unittest
def test_two_maps_in_one_config_are_refused():
    with pytest.raises(ValueError, match=r"map '3m', but env.map_name is '8m'"):
        make_config('3m', env=dict(map_name='8m'))


@pytest.mark.unittest
@pytest.mark.parametrize('key', list(SIZES_MMM))
def test_size_of_another_map_is_refused_with_both_numbers(key):
    with pytest.raises(ValueError, match=rf'{key}=7 \(map: {SIZES_MMM[key]}\)'):
        make_config('MMM', policy=dict(model={key: 7}))


@pytest.mark.unittest
def test_all_wrong_sizes_are_named_at_once():
    with pytest.raises(ValueError, match=r'map 3m .*agent_num=1 .*obs_shape=2 '):
        make_config('3m', policy=dict(model=dict(agent_num=1, obs_shape=2)))


@pytest.mark.unittest
def test_size_as_a_list_of_one_is_the_size():
    spec = make_spec('3m')
    check_model_sizes(dict(model_sizes(spec), obs_shape=[spec.obs_dim]), spec)


@pytest.mark.unittest
def test_preset_is_what_is_overridden():
    main, _ = make_config('3m', preset='pymarl', policy=dict(learn=dict(td_lambda=0.6)))
    learn = main.policy.learn
    assert (learn.optimizer, learn.learning_rate, learn.td_lambda) == ('rmsprop', 0.0005, 0.6)
    assert (main.env.collector_env_num, main.policy.collect.env_num, main.policy.collect.n_episode) == (1, 1, 1)


@pytest.mark.unittest
def test_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="preset 'pymarl2'; did you mean 'pymarl'"):
        make_config('3m', preset='pymarl2')


@pytest.mark.unittest
def test_presets_keys_of_our_model_are_not_given_to_another():
    assert make_config('3m')[0].policy.model.mixing_embed_dim == 32
    assert 'mixing_embed_dim' not in make_config('3m', policy=dict(model=dict(type='qmix')))[0].policy.model
