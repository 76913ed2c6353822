"""Rules of the policy's config: each one fires, names the key, what came and what was expected."""
import pytest
from ding.utils import deep_merge_dicts
from easydict import EasyDict
from policy_data import DING_MODEL, SIZES, make_policy

from ding_qmix.policy import QMIXCommandModePolicy, QMIXPolicy
from ding_qmix.policy.checks import check_policy_config
from ding_qmix.utils.keys import check_keys


def _check(**given):
    cfg = deep_merge_dicts(QMIXPolicy.default_config(), dict(model=dict(SIZES), **given))
    check_policy_config(EasyDict(cfg))


@pytest.mark.unittest
def test_default_config_is_accepted():
    _check()


@pytest.mark.unittest
def test_keys_of_dings_pipeline_are_accepted():
    _check(
        cfg_type='QMIXPolicyDict',
        random_collect_size=0,
        learn=dict(learner=dict(train_iterations=5), resume_training=True, resume_from='.'),
        collect=dict(env_num=4, collector=dict()),
        eval=dict(env_num=4, evaluator=dict(eval_freq=5)),
        other=dict(commander=dict()),
    )


@pytest.mark.unittest
@pytest.mark.parametrize(
    'given, section, nearest', [
        (dict(priorty=True), 'policy', 'priority'),
        (dict(learn=dict(learning_rat=0.1)), 'policy.learn', 'learning_rate'),
        (dict(learn=dict(target_update_frequency=5)), 'policy.learn', 'target_update_freq'),
        (dict(collect=dict(unrol_len=5)), 'policy.collect', 'unroll_len'),
        (dict(eval=dict(evalutor={})), 'policy.eval', 'evaluator'),
        (dict(other=dict(ep={})), 'policy.other', 'eps'),
        (dict(other=dict(eps=dict(stat=0.5))), 'policy.other.eps', 'start'),
        (dict(model=dict(mixing_dim=32)), 'policy.model', 'mixing_embed_dim'),
    ]
)
def test_unknown_key_names_its_section_and_the_nearest_key(given, section, nearest):
    model = {**SIZES, **given.pop('model', {})}
    cfg = EasyDict(deep_merge_dicts(QMIXPolicy.default_config(), dict(given, model=model)))
    with pytest.raises(ValueError, match=f"config {section}: unknown key .*did you mean '{nearest}'"):
        check_policy_config(cfg)


@pytest.mark.unittest
def test_keys_of_another_model_are_not_ours_to_judge():
    cfg = deep_merge_dicts(QMIXPolicy.default_config(), dict(model=dict(SIZES, **DING_MODEL, activation='any')))
    check_policy_config(EasyDict(cfg))


@pytest.mark.unittest
def test_key_without_a_near_one_gets_the_list():
    with pytest.raises(ValueError, match=r"unknown key 'zzz'; known: alpha, beta"):
        check_keys('here', {'zzz': 1}, ['beta', 'alpha'])


@pytest.mark.unittest
@pytest.mark.parametrize(
    'given, message', [
        (dict(priority_IS_weight=True), r'policy\.priority_IS_weight: True, but priority is False'),
        (
            dict(priority=True, other=dict(replay_buffer=dict(type='ding_qmix_episode'))),
            r'policy\.priority: True, but policy\.other\.replay_buffer\.priority: False'
        ),
        (
            dict(other=dict(replay_buffer=dict(type='ding_qmix_episode', priority=True))
                 ), r'policy\.priority: False, but policy\.other\.replay_buffer\.priority: True'
        ),
        (dict(learn=dict(optimizer='sgd')), r"learn\.optimizer: 'sgd', expected one of .*adam"),
        (dict(learn=dict(discount_factor=1.5)), r'learn\.discount_factor: 1\.5'),
        (dict(learn=dict(discount_factor=-0.1)), r'learn\.discount_factor: -0\.1'),
        (dict(learn=dict(td_lambda=2.)), r'learn\.td_lambda: 2\.0'),
        (dict(learn=dict(target_update_theta=1.1, target_update_freq=0)), r'learn\.target_update_theta: 1\.1'),
        (dict(learn=dict(batch_size=0)), r'learn\.batch_size: 0'),
        (dict(learn=dict(update_per_collect=0)), r'learn\.update_per_collect: 0'),
        (dict(learn=dict(learning_rate=0.)), r'learn\.learning_rate: 0\.0'),
        (dict(learn=dict(clip_value=-1.)), r'learn\.clip_value: -1\.0'),
        (dict(learn=dict(n_threads=-1)), r'learn\.n_threads: -1'),
        (dict(learn=dict(target_update_freq=200, target_update_theta=0.1)), r'update_freq=200 .*update_theta=0\.1'),
        (dict(learn=dict(target_update_freq=0, target_update_theta=0.)), r'update_freq=0 .*update_theta=0\.0'),
        (dict(collect=dict(unroll_len=-1)), r'policy\.collect\.unroll_len: -1'),
        (dict(collect=dict(unroll_len=5, burnin_step=-2)), r'policy\.collect\.burnin_step: -2'),
        (dict(collect=dict(unroll_len=0, burnin_step=2)), r'burnin_step: 2, but whole episodes'),
        (dict(collect=dict(n_episode=0)), r'collect\.n_episode: 0'),
        (dict(other=dict(eps=dict(type='step'))), r"eps\.type: 'step', expected 'linear' or 'exp'"),
        (dict(other=dict(eps=dict(start=1.2))), r'eps\.start: 1\.2'),
        (dict(other=dict(eps=dict(end=-0.2))), r'eps\.end: -0\.2'),
        (dict(other=dict(eps=dict(decay=0))), r'eps\.decay: 0'),
    ]
)
def test_rule_fires_and_names_key_and_value(given, message):
    with pytest.raises(ValueError, match=message):
        _check(**given)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'given', [
        dict(learn=dict(discount_factor=1., td_lambda=1.)),
        dict(learn=dict(discount_factor=0.)),
        dict(learn=dict(target_update_freq=0, target_update_theta=1.)),
        dict(collect=dict(unroll_len=1)),
        dict(collect=dict(unroll_len=10, burnin_step=10)),
        dict(other=dict(eps=dict(type='exp', start=0., end=0.))),
    ]
)
def test_values_on_the_edge_are_accepted(given):
    _check(**given)


@pytest.mark.unittest
def test_policy_refuses_its_config_before_anything_is_built():
    with pytest.raises(ValueError, match=r'td_lambda'):
        make_policy(learn=dict(td_lambda=-1.), instance='no model')


@pytest.mark.unittest
def test_command_mode_policy_has_the_same_rules():
    with pytest.raises(ValueError, match="'td_lambda'"):
        make_policy(learn=dict(td_lamda=0.5), cls=QMIXCommandModePolicy)


@pytest.mark.unittest
@pytest.mark.parametrize('env_step, epsilon', [(0, 1.), (25000, 0.525), (50000, 0.05), (90000, 0.05)])
def test_command_mode_lowers_epsilon_with_env_steps(env_step, epsilon):
    policy = make_policy(cls=QMIXCommandModePolicy)
    assert policy.command_mode.get_setting_collect({'envstep': env_step})['eps'] == pytest.approx(epsilon)


@pytest.mark.unittest
def test_command_mode_notes_the_env_step_for_the_evaluator():
    policy = make_policy(cls=QMIXCommandModePolicy)
    policy.command_mode.get_setting_collect({'envstep': 123})
    assert policy.eval_mode.env_step() == 123


@pytest.mark.unittest
def test_missing_checkpoint_is_refused_by_path_before_anything_is_built():
    with pytest.raises(FileNotFoundError, match=r'load_ckpt_before_run.*nowhere/ckpt\.pth\.tar'):
        make_policy(learn=dict(learner=dict(hook=dict(load_ckpt_before_run='nowhere/ckpt.pth.tar'))))


@pytest.mark.unittest
def test_random_collection_on_the_fast_road_is_refused():
    given = make_policy().cfg
    given.random_collect_size, given.collect.collector = 8, EasyDict(type='ding_qmix_vector')
    with pytest.raises(ValueError, match='random_collect_size: 8'):
        QMIXPolicy(given)
