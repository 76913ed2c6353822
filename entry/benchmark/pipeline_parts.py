"""DI-engine's serial pipeline for ``pipeline.py``, built from DI-engine's config of MMM or from ours."""
import copy
import os
from functools import partial
from typing import Any, NamedTuple

Configs = tuple[Any, Any]
_CONFIGS = os.path.join(os.path.dirname(__file__), '..', '..', 'dizoo_configs')
CHUNK_LEN = 10  # [env steps] DI-engine's on MMM
EPISODE_LEN = 60  # [env steps] of the long update
# [env steps] of the free env, as on the simulator: a schedule that counts episodes trains longer on each step of short
# ones, so with another length env steps per second would compare different amounts of training.
FREE_EPISODE_LEN = 46
N_STORED = 96  # [episodes] in the buffers from which updates are fed
# Of all collection. Episodes are then as long with any network, 46 env steps on average; with less epsilon they grow
# or shrink with what the network happens to do, and 32 episodes are not the same work on both sides. The networks run
# for every decision all the same.
EPSILON = 1.


class SideSpec(NamedTuple):
    """What a side is made of."""
    kind: str  # 'ding' (DI-engine's parts), 'plain' or 'ours'
    env: str = 'sim'  # 'sim', the simulator, or 'free'
    manager: str = 'base'  # env manager of a side of kind 'ding'
    n_envs: int = 16  # of a side of kind 'ding'
    bf16: bool = False
    n_episode: int = 32  # of one collection
    n_updates: int = 20  # after each collection


def ding_configs(spec: SideSpec, unroll_len: int = CHUNK_LEN) -> Configs:
    """Return the configs of DI-engine's own parts: those of its MMM config, with another env or manager."""
    main, create = _read('smac_MMM_diengine_qmix_config.py')
    main.env.collector_env_num = main.policy.collect.env_num = spec.n_envs
    create.env_manager = dict(type=spec.manager)
    if spec.env == 'free':
        main.env = dict(collector_env_num=spec.n_envs, evaluator_env_num=1, episode_len=FREE_EPISODE_LEN)
        create.env = dict(type='free_smac', import_names=['free_env'])
    main.policy.collect.update(unroll_len=unroll_len, n_episode=spec.n_episode)
    main.policy.learn.update_per_collect = spec.n_updates
    return main, create


def our_configs(spec: SideSpec, unroll_len: int = CHUNK_LEN) -> Configs:
    """Return the configs of this package's parts: its MMM config with the schedule and sizes of DI-engine's."""
    main, create = _read('smac_MMM_qmix_config.py')
    ding, _ = ding_configs(spec, unroll_len)
    main.policy.learn.update(ding.policy.learn)
    main.policy.learn.update(optimizer='rmsprop', weight_decay=1e-5, td_lambda=0., target_update_freq=0, bf16=spec.bf16)
    main.policy.model.mixing_embed_dim = ding.policy.model.hidden_size_list[-1]  # DI-engine gives the mixer no other
    main.policy.collect.update(unroll_len=unroll_len, n_episode=spec.n_episode)
    main.policy.other.replay_buffer = ding.policy.other.replay_buffer
    return main, create


def _read(name: str) -> Configs:
    """main_config and create_config of a file in dizoo_configs/."""
    from ding.config import read_config
    return copy.deepcopy(read_config(os.path.join(_CONFIGS, name)))


class Pipeline:
    """
    Overview:
        DI-engine's serial pipeline, as ``ding.entry.serial_pipeline`` builds and runs it, without evaluation.
    Interfaces:
        ``play``, ``store``, ``train``, ``sample``, ``close``
    """

    def __init__(self, configs: Configs, exp_name: str, seed: int = 0) -> None:
        """Logs go to folder ``exp_name`` of the working directory."""
        from ding.config import compile_config
        from ding.envs import create_env_manager, get_vec_env_setting
        from ding.policy import create_policy
        from ding.utils import set_pkg_seed
        from ding.worker import BaseLearner, create_buffer, create_serial_collector
        from tensorboardX import SummaryWriter
        main, create = configs
        main.exp_name = exp_name
        cfg = compile_config(main, seed=seed, auto=True, create_cfg=create, save_cfg=False)
        env_fn, env_cfgs, _ = get_vec_env_setting(cfg.env)
        env = create_env_manager(cfg.env.manager, [partial(env_fn, cfg=c) for c in env_cfgs])
        env.seed(seed, dynamic_seed=True)
        set_pkg_seed(seed, use_cuda=False)
        self.cfg = cfg
        self.policy = create_policy(cfg.policy, enable_field=['learn', 'collect'])
        writer = SummaryWriter(os.path.join(exp_name, 'log', 'serial'))
        self.learner = BaseLearner(cfg.policy.learn.learner, self.policy.learn_mode, writer, exp_name=exp_name)
        self.collector = create_serial_collector(
            cfg.policy.collect.collector, env=env, policy=self.policy.collect_mode, tb_logger=writer, exp_name=exp_name
        )
        self.buffer = create_buffer(cfg.policy.other.replay_buffer, tb_logger=writer, exp_name=exp_name)
        self.learner.call_hook('before_run')

    def play(self) -> list[dict[str, Any]]:
        """Collect once."""
        return self.collector.collect(train_iter=self.learner.train_iter, policy_kwargs={'eps': EPSILON})

    def store(self, samples: list[dict[str, Any]]) -> None:
        """Push samples to the buffer."""
        self.buffer.push(samples, cur_collector_envstep=self.collector.envstep)

    def train(self) -> None:
        """Do the updates that follow a collection."""
        for _ in range(self.cfg.policy.learn.update_per_collect):
            self.learner.train(self.sample(), self.collector.envstep)

    def sample(self) -> Any:
        """Draw a batch from the buffer."""
        batch = self.buffer.sample(self.cfg.policy.learn.batch_size, self.learner.train_iter)
        if batch is None:
            raise RuntimeError(f'{self.buffer.count()} samples are stored, a batch needs more')
        return batch

    def close(self) -> None:
        """Close the envs and files."""
        self.collector.close()
