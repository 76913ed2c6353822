"""
Render one episode to a web page that plays it, a GIF or an MP4.

    python entry/render.py --map MMM --policy focus --out MMM.html
    python entry/render.py --map MMM --policy focus --out MMM.gif
    python entry/render.py --config dizoo_configs/smac_MMM_qmix_config.py --load-path ckpt_best.pth.tar --out MMM.mp4
"""
import argparse
import csv
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import torch

from ding_qmix.baselines.scripted import SCRIPTED_POLICIES, ScriptedPolicy, make_scripted_policy
from ding_qmix.ding_compat import Network
from ding_qmix.envs import make_vec_env
from ding_qmix.envs.backends import backend_options
from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.painter import BattlePainter
from ding_qmix.render.recorder import FPS, BattleRecorder
from ding_qmix.render.video import write_video
from ding_qmix.render.web_replay import Curve, write_web_replay
from ding_qmix.sim.calibration import rename_knobs
from ding_qmix.spec import EnvSpec, UnitSnapshot, VecEnv, VecStep


class Checkpoint(NamedTuple):
    """A trained policy that acts greedily in one env."""
    map_name: str
    env_options: dict
    model: Network


def main(args: Optional[list[str]] = None) -> None:
    """Play one episode and write it."""
    options = _parse(args)
    checkpoint = _load(options.config, options.load_path, options.seed) if options.config else None
    map_name = checkpoint.map_name if checkpoint else options.map
    env_options = checkpoint.env_options if checkpoint else {}
    env = make_vec_env(map_name, 1, seed=options.seed, n_threads=1, **env_options)
    player = _GreedyPlayer(checkpoint.model) if checkpoint else _scripted(options.policy, env.spec, options.seed)
    frames = play_episode(env, player)
    if options.out.endswith('.html'):
        label = f'policy {options.load_path or options.policy}, seed {options.seed}'
        n_pictures = write_web_replay(options.out, env.spec, frames, label, _curve(options.load_path))
    else:
        painter = BattlePainter(env.spec, options.scale, q_values=frames[0].q_values is not None)
        n_pictures = write_video(options.out, (painter.paint(frame) for frame in frames), options.fps)
    sys.stdout.write(
        f'{options.out}: {n_pictures} pictures, {frames[-1].result} after {frames[-1].step} env steps, '
        f'return {frames[-1].episode_return:.2f}\n'
    )


def play_episode(env: VecEnv, player: 'Player') -> list[BattleFrame]:
    """Play one episode in an env with one battle and return its frames."""
    recorder = BattleRecorder(env)
    step, ended = env.reset(), np.array([], int)
    while len(ended) == 0:
        units, mask = env.units(), step.action_mask.copy()
        choice = player.act(step, units)
        step = env.step(choice.actions)
        ended = recorder.record(units, mask, choice.actions, step, q_values=choice.q_values, q_tot=choice.q_tot)
    return recorder.frames(0)


class Choice(NamedTuple):
    """What a player does, and what it chose by, if it has values."""
    actions: np.ndarray  # int64 [1, N]
    q_values: Optional[np.ndarray] = None  # float32 [1, N, A]
    q_tot: Optional[np.ndarray] = None  # float32 [1], of the actions together


class Player(ABC):
    """Chooses actions."""

    @abstractmethod
    def act(self, step: VecStep, units: UnitSnapshot) -> Choice:
        """Choose an action for every agent."""


class _ScriptedPlayer(Player):
    """A scripted policy, which has no Q-values."""

    def __init__(self, policy: ScriptedPolicy) -> None:
        self._policy = policy

    def act(self, step: VecStep, units: UnitSnapshot) -> Choice:
        return Choice(self._policy.act(step, units))


class _GreedyPlayer(Player):
    """A trained network, which takes the legal action of highest value."""

    def __init__(self, model: Network) -> None:
        self._model = model
        self._hidden_state = model.initial_state(1)

    def act(self, step: VecStep, units: UnitSnapshot) -> Choice:
        device = self._hidden_state.device
        obs, state = (torch.from_numpy(part.copy()).to(device).unsqueeze(0) for part in (step.obs, step.state))
        with torch.no_grad():
            q_values, self._hidden_state = self._model.q_values(obs, self._hidden_state)  # [1, 1, N, A]
            mask = torch.from_numpy(step.action_mask.copy()).to(device)
            chosen_q, actions = q_values[0].masked_fill(~mask, -torch.inf).max(-1)  # [1, N]
            q_tot = self._model.mixer(chosen_q.unsqueeze(0), state)[0]  # [1]
        return Choice(actions.cpu().numpy(), q_values[0].cpu().numpy(), q_tot.cpu().numpy())


def _curve(load_path: Optional[str]) -> Optional[Curve]:
    """Return the test win rate of the run that a checkpoint <exp_name>/ckpt/... is from; None where there is none."""
    path = Path(load_path or '').resolve().parent.parent / 'log' / 'evaluator' / 'evaluations.csv'
    if load_path is None or not path.is_file():
        return None
    with open(path, newline='', encoding='utf-8') as file:
        points = [(int(float(row['env_step'])), float(row['win_rate'])) for row in csv.DictReader(file)]
    return Curve(points, torch.load(load_path, map_location='cpu', weights_only=True).get('last_step'))


def _scripted(name: str, spec: EnvSpec, seed: int) -> Player:
    """Return the player of a scripted policy."""
    return _ScriptedPlayer(make_scripted_policy(name, spec, 1, seed))


def _load(config: str, load_path: str, seed: int) -> Checkpoint:
    """Build the policy of a config file and load its checkpoint."""
    # After ding_qmix, which keeps the notices of DI-engine's imports off the terminal.
    from ding.config import compile_config, read_config
    from ding.policy import create_policy
    main_config, create_config = read_config(config)
    cfg = compile_config(main_config, seed=seed, auto=True, create_cfg=create_config, save_cfg=False)
    policy = create_policy(cfg.policy, enable_field=['eval'])
    policy.eval_mode.load_state_dict(torch.load(load_path, map_location='cpu', weights_only=True))
    env_cfg = rename_knobs(cfg.env)
    options = {name: env_cfg[name] for name in backend_options('sim') if name in env_cfg and name != 'n_threads'}
    return Checkpoint(cfg.env.map_name, options, policy.eval_mode.network)


def _parse(args: Optional[list[str]]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--map', default='MMM', help='a SMAC map, with --policy')
    parser.add_argument('--policy', default='closest', choices=SCRIPTED_POLICIES, help='a scripted policy')
    parser.add_argument('--config', help='config file of a trained policy; its map is taken')
    parser.add_argument('--load-path', help='checkpoint of the trained policy')
    parser.add_argument('--seed', type=int, default=0, help='of the battle')
    parser.add_argument('--fps', type=float, default=FPS, help='pictures per second; one picture is one env step')
    parser.add_argument('--scale', type=int, default=22, help='pixels per map unit')
    parser.add_argument('--out', default='battle.html', help='file to write, .html, .gif or .mp4')
    options = parser.parse_args(args)
    if bool(options.config) != bool(options.load_path):
        parser.error('--config and --load-path go together')
    return options


if __name__ == '__main__':
    main()
