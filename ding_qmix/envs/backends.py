from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ding_qmix.sim.calibration import Calibration, rename_knobs
from ding_qmix.sim.vec_env import SimVecEnv
from ding_qmix.smac.action_options import ActionOptions
from ding_qmix.smac.reward import RewardOptions
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.view_options import ViewOptions
from ding_qmix.spec import VecEnv
from ding_qmix.starcraft2.options import make_game_options
from ding_qmix.starcraft2.vec_env import StarCraft2VecEnv
from ding_qmix.utils.keys import check_keys, nearest_hint


class Backend(NamedTuple):
    """One way to play battles."""
    build: Callable[..., VecEnv]  # (map_name, n_envs, seed=..., **options)
    options: Mapping[str, Any]  # names and defaults


def make_vec_env(map_name: str, n_envs: int, backend: str = 'sim', seed: int = 0, **options: Any) -> VecEnv:
    """
    Overview:
        Build a batch of battles on one SMAC map.
    Arguments:
        - map_name: one of the SMAC maps, such as '3m' or 'MMM'
        - n_envs: number of battles, E
        - backend: 'sim' (the embedded simulator) or 'starcraft2' (the game itself)
        - seed: battle i draws from a generator of its own, seeded with ``seed + i``
        - options: for both backends obs_style ('ding' or 'smac'), special_global_state and death_mask, see \
            ``ding_qmix.smac.special_state``, SMAC's options of reward, see ``RewardOptions``, of obs and state, \
            see ``ViewOptions``, and of actions, see ``ActionOptions``; for 'sim' also n_threads (None for numba's \
            number, but 32 battles or more each) and calibration (dict of what differs from the defaults of \
            ``Calibration``); for 'starcraft2' also game (dict of what differs from the defaults of ``GameOptions``)
    Raises:
        - GameRefused: the game, its version or the map is not there; tells what to install and where
        - ValueError: unknown map or backend, or fewer than one env
        - ValueError: an option that the backend does not have; names the nearest one
        - ImportError: a package that the backend needs is not installed
    """
    where = f'make_vec_env({map_name!r}, backend={backend!r})'
    known = backend_options(backend)
    get_scenario(map_name)
    if n_envs < 1:
        raise ValueError(f'{where}: n_envs={n_envs}, expected 1 or more')
    options = rename_knobs(options)
    check_keys(where, options, known)
    return _BACKENDS[backend].build(map_name, n_envs, seed=seed, **options)


def backend_options(backend: str) -> dict[str, Any]:
    """Return the names of the backend's options with their defaults. ValueError for an unknown backend."""
    if backend not in _BACKENDS:
        raise ValueError(f'unknown backend {backend!r}; {nearest_hint(str(backend), _BACKENDS)}')
    return dict(_BACKENDS[backend].options)


def _build_sim(
        map_name: str,
        n_envs: int,
        seed: int = 0,
        calibration: Optional[Mapping[str, Any]] = None,
        **options: Any,
) -> VecEnv:
    check_keys('env.calibration', calibration or {}, Calibration._fields)
    return SimVecEnv(map_name, n_envs, seed=seed, calibration=Calibration(**(calibration or {})), **options)


def _build_starcraft2(
        map_name: str, n_envs: int, seed: int = 0, game: Optional[Mapping[str, Any]] = None, **options: Any
) -> VecEnv:
    return StarCraft2VecEnv(map_name, n_envs, seed=seed, game=make_game_options(game or {}), **options)


_SHARED_OPTIONS: dict[str, Any] = dict(
    obs_style='ding',
    special_global_state=False,
    death_mask=False,
    **RewardOptions._field_defaults,
    **ViewOptions._field_defaults,
    **ActionOptions._field_defaults
)
_BACKENDS: dict[str, Backend] = {
    'sim': Backend(_build_sim, dict(_SHARED_OPTIONS, n_threads=None, calibration={})),
    'starcraft2': Backend(_build_starcraft2, dict(_SHARED_OPTIONS, game={})),
}
BACKENDS = tuple(_BACKENDS)
