"""SMACEnv: config, seeds and what DI-engine does with the env beside playing."""
import copy
from functools import partial
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from ding.policy import PolicyFactory
from ding.torch_utils import to_tensor
from ding_play import play, scripted_env

from ding_qmix.envs import SMACEnv
from ding_qmix.envs.ding_format import EVAL_SEED_OFFSET, stream_seed


@pytest.mark.unittest
@pytest.mark.parametrize(
    'cfg, error, word', [
        (dict(map_nam='3m'), ValueError, 'map_name'),
        (dict(map_name='3mm'), ValueError, "'3m'"),
        (dict(), ValueError, 'map_name is missing'),
        (dict(map_name='3m', backend='simm'), ValueError, "'sim'"),
        (dict(map_name='3m', obs_style='dingo'), ValueError, 'obs_style'),
    ]
)
def test_env_refuses_bad_config(cfg: dict, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        SMACEnv(cfg)


@pytest.mark.unittest
def test_env_refuses_unknown_calibration_parameter() -> None:
    with pytest.raises(ValueError, match='map_edge'):
        SMACEnv(dict(map_name='3m', calibration=dict(map_edg=1.))).reset()


@pytest.mark.unittest
def test_env_takes_the_former_name_of_calibration() -> None:
    cfg = dict(SMACEnv.default_config(), map_name='3m', knobs=dict(map_edge=1.))
    with pytest.warns(DeprecationWarning, match="'knobs' is now 'calibration'"):
        assert SMACEnv(cfg).cfg.calibration == {'map_edge': 1.}
    with pytest.raises(ValueError, match='both given'), pytest.warns(DeprecationWarning):
        SMACEnv(dict(cfg, calibration=dict(map_edge=2.)))


@pytest.mark.unittest
def test_env_accepts_ding_engines_keys() -> None:
    cfg = dict(SMACEnv.default_config(), map_name='3m', type='ding_smac', import_names=['ding_qmix'], replay_path=None)
    assert SMACEnv(cfg).cfg.cfg_type == 'SMACEnvDict'


@pytest.mark.unittest
@pytest.mark.parametrize('seed', [-1, 2 ** 32])
def test_env_refuses_seed_out_of_range(seed: int) -> None:
    with pytest.raises(ValueError, match=str(seed)):
        SMACEnv(dict(map_name='3m')).seed(seed)


@pytest.mark.unittest
@pytest.mark.parametrize('dynamic_seed', [True, False])
def test_env_seed_fixes_the_sequence_of_battles(dynamic_seed: bool) -> None:
    runs = []
    for _ in range(2):
        env = SMACEnv(dict(map_name='3m'))
        env.seed(3, dynamic_seed)
        env.reset()
        runs.append([t.obs['global_state'] for t in play(env, 130)])
    assert np.array_equal(*runs)


@pytest.mark.unittest
def test_env_episodes_of_one_seed_differ() -> None:
    env = SMACEnv(dict(map_name='MMM'))
    env.seed(0, dynamic_seed=False)
    episodes = []
    for _ in range(2):
        env.reset()
        states, done = [], False
        while not done:  # the same play each time, so that only the battle's own draws differ
            mask = env._env.last_step.action_mask[0]
            timestep = env.step(mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1))
            states.append(timestep.obs['global_state'].sum())
            done = timestep.done
        episodes.append(states)
    assert episodes[0] != episodes[1]


@pytest.mark.unittest
def test_env_seed_again_starts_its_sequence_again(scripted: None) -> None:
    env = scripted_env(seed=2)
    play(env, 4)
    env.seed(5)
    assert env.reset()['global_state'][0] == 500.


@pytest.mark.unittest
def test_env_close_twice_then_reset_plays_its_seed(scripted: None) -> None:
    env = scripted_env(seed=2)
    play(env, 4)
    env.close()
    env.close()
    assert env.reset()['global_state'][0] == 200.


@pytest.mark.unittest
def test_env_unseeded_envs_differ() -> None:
    seeds = set()
    for _ in range(3):
        env = SMACEnv(dict(map_name='3m'))
        env.reset()
        seeds.add(env._seed)
    assert len(seeds) == 3


@pytest.mark.unittest
def test_env_training_and_evaluation_never_share_a_seed() -> None:
    seeds = np.array([0, 7, EVAL_SEED_OFFSET - 1])
    train, evaluation = ([stream_seed(int(s), flag) for s in seeds] for flag in (False, True))
    assert max(train) < min(evaluation)


@pytest.mark.unittest
def test_env_evaluator_cfg_draws_from_its_own_stream(scripted: None) -> None:
    cfg = SMACEnv.default_config()
    cfg.update(map_name='3m')
    train, evaluation = SMACEnv.create_collector_env_cfg(cfg)[0], SMACEnv.create_evaluator_env_cfg(cfg)[0]
    numbers = []
    for env_cfg in (train, evaluation):
        env = SMACEnv(env_cfg)
        env.seed(3)
        numbers.append(env.reset()['global_state'][0])
    assert numbers[0] == 300. and numbers[1] == np.float32(100. * (EVAL_SEED_OFFSET + 3))


@pytest.mark.unittest
@pytest.mark.parametrize('key', ['collector_env_num', 'evaluator_env_num'])
def test_env_cfgs_are_as_many_as_asked(key: str) -> None:
    cfg = dict(SMACEnv.default_config(), map_name='3m', **{key: 5})
    make = SMACEnv.create_collector_env_cfg if key.startswith('coll') else SMACEnv.create_evaluator_env_cfg
    assert len(make(cfg)) == 5


@pytest.mark.unittest
@pytest.mark.parametrize('key', ['collector_env_num', 'evaluator_env_num'])
def test_env_cfgs_refuse_none(key: str) -> None:
    make = SMACEnv.create_collector_env_cfg if key.startswith('coll') else SMACEnv.create_evaluator_env_cfg
    with pytest.raises(ValueError, match=key):
        make({'map_name': '3m', key: 0})


@pytest.mark.unittest
def test_env_function_survives_cloudpickle() -> None:
    make = cloudpickle.loads(
        cloudpickle.dumps(
            partial(SMACEnv, cfg=SMACEnv.create_collector_env_cfg(dict(map_name='3m', collector_env_num=1))[0])
        )
    )
    assert make().env_spec.map_name == '3m'


@pytest.mark.unittest
def test_env_action_space_survives_deepcopy() -> None:
    space = copy.deepcopy(SMACEnv(dict(map_name='3m')).action_space)
    assert [s.n for s in space] == [9, 9, 9] and space.nvec.tolist() == [9, 9, 9]


@pytest.mark.unittest
def test_env_ding_engines_random_policy_draws_legal_actions() -> None:
    env = SMACEnv(dict(map_name='3m'))
    env.seed(0)
    obs = to_tensor(env.reset(), dtype=torch.float32)
    policy = _random_policy(env)
    for _ in range(20):
        action = policy({0: obs})[0]['action']
        assert obs['action_mask'].gather(1, action.unsqueeze(1)).all()


def _random_policy(env: SMACEnv) -> Any:
    """Forward function of DI-engine's random policy, which collects before training starts."""

    class Interfaces:
        process_transition = get_train_sample = get_attribute = None

    return PolicyFactory.get_random_policy(Interfaces, action_space=env.action_space).forward


@pytest.mark.unittest
def test_env_repr_names_map_and_backend() -> None:
    assert str(SMACEnv(dict(map_name='3m'))) == 'SMACEnv(3m, sim)'
