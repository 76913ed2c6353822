"""make_vec_env: which battlefield it builds, and what it refuses."""
import numpy as np
import pytest

from ding_qmix.envs import BACKENDS, SMACEnv, make_vec_env
from ding_qmix.envs.backends import backend_options
from ding_qmix.smac.scenarios import make_spec
from ding_qmix.starcraft2.errors import GameRefused


@pytest.mark.unittest
@pytest.mark.parametrize('obs_style', ['ding', 'smac'])
def test_make_vec_env_has_the_maps_shapes(obs_style: str) -> None:
    env = make_vec_env('3m', 2, obs_style=obs_style)
    step, spec = env.reset(), make_spec('3m', obs_style)
    assert step.obs.shape == (2, 3, spec.obs_dim) and step.state.shape == (2, spec.state_dim)


@pytest.mark.unittest
def test_make_vec_env_passes_reward_options_on() -> None:
    env = make_vec_env('3m', 1, reward_sparse=True)
    step, rewards = env.reset(), []
    while not (step.terminated | step.truncated)[0]:
        last_legal = env.spec.n_actions - 1 - np.argmax(step.action_mask[:, :, ::-1], axis=-1)  # [1, N]
        step = env.step(last_legal)
        rewards.append(float(step.reward[0]))
    assert set(rewards[:-1]) == {0.}


@pytest.mark.unittest
def test_make_vec_env_passes_calibration_on() -> None:
    usual, wide = (make_vec_env('3m', 1, calibration=calibration) for calibration in ({}, {'spawn_spacing': 2.}))
    usual.reset(), wide.reset()
    assert (usual.units().y != wide.units().y).any()


@pytest.mark.unittest
@pytest.mark.parametrize(
    'kwargs, error, word', [
        (dict(map_name='MM'), ValueError, 'MMM'),
        (dict(backend='simm'), ValueError, "'sim'"),
        (dict(n_envs=0), ValueError, 'n_envs=0'),
        (dict(obs_stile='ding'), ValueError, 'obs_style'),
        (dict(reward_only_positiv=True), ValueError, 'reward_only_positive'),
        (dict(calibration={'spawn_spacin': 1.}), ValueError, 'spawn_spacing'),
        (dict(backend='starcraft2', game={'path': '/nowhere'}), GameRefused, 'SC2PATH'),
        (dict(backend='starcraft2', game={'versio': '4.10'}), ValueError, 'version'),
        (dict(backend='starcraft2', game={'max_failures': 0}), ValueError, 'max_failures: 0'),
    ]
)
def test_make_vec_env_refuses_by_name(kwargs: dict, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        make_vec_env(**{'map_name': '3m', 'n_envs': 1, **kwargs})


@pytest.mark.unittest
def test_make_vec_env_takes_the_former_name_of_calibration() -> None:
    with pytest.warns(DeprecationWarning, match="'knobs' is now 'calibration'"):
        env = make_vec_env('3m', 1, knobs={'reset_loops': 3})
    assert env._params.calibration.reset_loops == 3


@pytest.mark.unittest
@pytest.mark.parametrize('backend', BACKENDS)
def test_env_config_has_the_backends_defaults(backend: str) -> None:
    options = backend_options(backend)
    assert {name: SMACEnv.config[name] for name in options} == options
