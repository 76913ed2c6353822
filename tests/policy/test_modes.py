"""The policy's modes: DI-engine's fields as they are, and after them what our own parts need, by attribute."""
import pytest
from ding.policy.base_policy import Policy
from policy_data import SIZES, make_policy

from ding_qmix.policy import QMIXCommandModePolicy
from ding_qmix.run_state import RunFiles

MODES = {
    'learn_mode': Policy.learn_function,
    'collect_mode': Policy.collect_function,
    'eval_mode': Policy.eval_function,
}


@pytest.mark.unittest
@pytest.mark.parametrize('name, ding', MODES.items())
def test_mode_has_the_fields_of_ding_engines_in_their_order(name, ding):
    assert getattr(make_policy(), name)._fields[:len(ding._fields)] == ding._fields


@pytest.mark.unittest
@pytest.mark.parametrize('name', MODES)
def test_fields_of_ding_engine_are_the_methods_that_it_would_find(name):
    policy = make_policy()
    ding, ours = getattr(Policy, name).fget(policy), getattr(policy, name)
    assert ours[:len(ding)] == tuple(ding)


@pytest.mark.unittest
@pytest.mark.parametrize('attribute, value', [('unroll_len', 4), ('n_episode', 6), ('on_policy', False)])
def test_attributes_that_ding_engines_collector_asks_for_by_name_are_there(attribute, value):
    policy = make_policy(collect=dict(unroll_len=4, n_episode=6))
    assert policy.collect_mode.get_attribute(attribute) == value


@pytest.mark.unittest
@pytest.mark.parametrize(
    'collect, kept', [
        (dict(), False),
        (dict(unroll_len=4), True),
        (dict(unroll_len=4, stored_state=False), False),
        (dict(stored_state=True), False),
    ]
)
def test_hidden_states_are_kept_for_chunks_that_start_from_them(collect, kept):
    assert make_policy(collect=collect).collect_mode.keep_hidden_state == kept


@pytest.mark.unittest
def test_modes_show_the_actors_and_the_sizes():
    policy = make_policy(collect=dict(n_episode=6))
    collect, evaluate = policy.collect_mode, policy.eval_mode
    assert collect.actor is policy._collect_actor and evaluate.actor is policy._eval_actor
    assert collect.n_episode == 6
    assert all(mode.model_sizes[name] == size for mode in (collect, evaluate) for name, size in SIZES.items())


@pytest.mark.unittest
def test_env_steps_are_known_only_with_a_commander():
    assert make_policy().eval_mode.env_step is None
    assert make_policy(cls=QMIXCommandModePolicy).eval_mode.env_step() == 0


@pytest.mark.unittest
@pytest.mark.parametrize('resume, expected', [(True, '{file}'), (False, '')])
def test_learn_mode_tells_the_files_of_the_run(tmp_path, resume, expected):
    file = tmp_path / 'iteration_7.pth.tar'
    file.touch()
    hook = dict(load_ckpt_before_run=str(file))
    policy = make_policy(learn=dict(resume_training=resume, save_run_state=False, learner=dict(hook=hook)))
    assert policy.learn_mode.run_files == RunFiles(False, expected.format(file=file))


@pytest.mark.unittest
def test_run_is_saved_and_new_by_default():
    assert make_policy().learn_mode.run_files == RunFiles(True, '')
