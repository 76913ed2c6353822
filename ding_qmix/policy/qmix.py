import copy
import os
from typing import Any, Optional

import torch
from ding.utils import POLICY_REGISTRY
from easydict import EasyDict
from torch import Tensor

from ding_qmix.ding_compat import as_network
from ding_qmix.policy.actor import RecurrentActor
from ding_qmix.policy.checks import check_policy_config
from ding_qmix.policy.config import SCHEMA
from ding_qmix.policy.fast_path import choose_gradient
from ding_qmix.policy.finite import check_shapes, check_state_dict, check_update
from ding_qmix.policy.flat_parameters import FlatParameters
from ding_qmix.policy.modes import TypedModePolicy
from ding_qmix.policy.optimizer import make_optimizer, update_target
from ding_qmix.policy.samples import collate_samples, cut_chunks, episode_sample, make_transition
from ding_qmix.policy.update import MEANS, TDUpdate, longest_first
from ding_qmix.run_state import use_whole_checkpoints
from ding_qmix.schema import defaults
from ding_qmix.spec import EpisodeBatch, PrioritizedBatch
from ding_qmix.utils.threads import one_torch_thread

_SAMPLES_PER_THREAD = 4  # with fewer, waking a thread and adding its gradient takes a good part of what it saves


@POLICY_REGISTRY.register('ding_qmix')
class QMIXPolicy(TypedModePolicy):
    """
    Overview:
        Policy of QMIX (arXiv:1803.11485) and, with ``model.mixer=False``, VDN (arXiv:1706.05296).
        Trains on whole episodes or chunks, with this package's collector, buffer and evaluator or with DI-engine's. The
        loss is ding_qmix.policy.loss.qmix_loss.
    Config:
        ding_qmix/policy/config.py, each key with its meaning, its default and what it takes.
    """
    config = defaults(SCHEMA)

    def __init__(
            self,
            cfg: EasyDict,
            model: Optional[torch.nn.Module] = None,
            enable_field: Optional[list[str]] = None
    ) -> None:
        """As in DI-engine's ``Policy``; the config is checked first, ValueError names what is wrong."""
        self.check_config(cfg)
        use_whole_checkpoints(cfg.learn.get('learner', {}).get('hook', {}))
        super().__init__(cfg, model, enable_field)

    @classmethod
    def check_config(cls, given: Any, path: str = 'policy') -> None:
        """Check section ``policy`` of a config, or what is given of it; see ``check_policy_config``."""
        check_policy_config(given, path)

    def default_model(self) -> tuple[str, list[str]]:
        """Return the registered model name and the module that registers it."""
        return 'ding_qmix', ['ding_qmix.ding_compat.model']

    # ------------------------------------------------------------------ learn
    def _init_learn(self) -> None:
        """Build optimizer and target network."""
        cfg = self._cfg.learn
        self._priority = self._cfg.priority  # DI-engine's pipeline asks for it
        self._learn_model = as_network(self._model, self._cfg.model)
        self._learn_target_model = copy.deepcopy(self._learn_model).requires_grad_(False)
        self._learn_flat, self._learn_target_flat = (
            FlatParameters(model) for model in (self._learn_model, self._learn_target_model)
        )
        self._learn_optimizer = make_optimizer(cfg, self._learn_flat.vector)
        n_threads = cfg.n_threads or min(len(os.sched_getaffinity(0)), max(1, cfg.batch_size // _SAMPLES_PER_THREAD))
        self._gradient_path = choose_gradient(self._learn_model, self._learn_target_model, cfg)
        self._learn_update = TDUpdate(self._gradient_path, 1 if self._cuda else n_threads)
        self._learn_updates = 0  # updates since the start, for hard target updates

    @one_torch_thread()
    def _forward_learn(self, data: Any) -> dict[str, Any]:
        """
        Overview:
            Do one update: gradients of the masked TD error (``TDUpdate``), optimiser step, target network.
        Arguments:
            - data: an ``EpisodeBatch``, a ``PrioritizedBatch``, or a list of samples from any replay buffer
        Returns:
            - info: what ``_monitor_vars_learn`` names, Python scalars; with ``priority`` on also the samples' new
              priorities
        Raises:
            - FloatingPointError: a number is not finite, see ``check_update``
        """
        batch, order = longest_first(self._batch_of(data), self._device)
        if not self._learn_model.training:
            self._learn_model.train()
        result = self._learn_update.gradients(batch)
        self._learn_flat.gradient.copy_(result.gradient)
        if self._cfg.multi_gpu:
            self.sync_gradients(self._learn_model)
        grad_norm = torch.nn.utils.clip_grad_norm_(self._learn_flat.vector, self._cfg.learn.clip_value)
        parameter_sum = self._learn_flat.vector.detach().sum()
        values = torch.stack([*result.means, grad_norm, parameter_sum]).tolist()  # one transfer from the device
        check_update(dict(zip((*MEANS, 'grad_norm', 'sum of all parameters'), values)), batch, self._learn_model)
        info = dict(zip((*MEANS, 'grad_norm'), values), cur_lr=self._learn_optimizer.param_groups[0]['lr'])
        self._learn_optimizer.step()
        self._learn_updates += 1
        update_target(self._learn_target_flat, self._learn_flat, self._cfg.learn, self._learn_updates)
        if self._priority:
            given = result.priority if order is None else result.priority[order.argsort()]
            info['priority'] = given.tolist()
        return info

    def _batch_of(self, data: Any) -> EpisodeBatch:
        """Our replay buffer's batches as they are, samples of another's collated."""
        if isinstance(data, EpisodeBatch):
            return data
        if isinstance(data, PrioritizedBatch):
            batch = data.batch
        else:
            batch = collate_samples(data, self._learn_model.initial_state(len(data)))
        return batch if self._cfg.priority_IS_weight else batch._replace(weight=None)

    def _reset_learn(self, data_id: Optional[list[int]] = None) -> None:
        """Nothing to reset: every batch has its own hidden states."""

    def _monitor_vars_learn(self) -> list[str]:
        return ['cur_lr', 'total_loss', 'total_q', 'target_total_q', 'td_error_abs', 'grad_norm']

    def _state_dict_learn(self) -> dict[str, Any]:
        """Everything that learning and acting changes: tensors and plain Python values only."""
        state_dict = {
            'model': self._learn_model.state_dict(),
            'target_model': self._learn_target_model.state_dict(),
            'optimizer': self._learn_optimizer.state_dict(),
            'updates': self._learn_updates,
        }
        if 'collect' in self._enable_field:
            state_dict['exploration_generator'] = self._collect_generator.get_state()
        return state_dict

    def _load_state_dict_learn(self, state_dict: dict[str, Any]) -> None:
        """Restore ``_state_dict_learn``, or networks alone from a checkpoint of DI-engine's QMIX."""
        check_state_dict('model', state_dict['model'])
        check_state_dict('target_model', state_dict['target_model'])
        check_shapes(state_dict['model'], self._learn_model)
        self._learn_model.load_state_dict(state_dict['model'])
        self._learn_target_model.load_state_dict(state_dict['target_model'])
        if 'updates' in state_dict:  # DI-engine's optimizer state belongs to other parameters
            self._learn_optimizer.load_state_dict(state_dict['optimizer'])
            self._learn_updates = state_dict['updates']
        if 'exploration_generator' in state_dict and 'collect' in self._enable_field:
            self._collect_generator.set_state(state_dict['exploration_generator'].cpu())

    # ---------------------------------------------------------------- collect
    def _init_collect(self) -> None:
        """Build the exploring actor. Its generator is seeded from torch's, which DI-engine seeds before."""
        self._unroll_len = self._cfg.collect.unroll_len
        self._collect_model = as_network(self._model, self._cfg.model)
        self._collect_generator = torch.Generator().manual_seed(int(torch.randint(2 ** 62, ())))
        self._collect_actor = RecurrentActor(
            self._collect_model, self._collect_generator, self._cfg.learn.gradient != 'autograd'
        )

    def _forward_collect(self, data: dict[int, Any], eps: float) -> dict[int, Any]:
        """
        Overview:
            Act with exploration.
        Arguments:
            - data: {env_id: dict(agent_state [N, O], global_state [S], action_mask [N, A])}
            - eps: probability of a random action, for each env and agent on its own
        Returns:
            - output: {env_id: dict(action int64 [N], prev_state [N, L, H])}
        """
        action, hidden_state = self._act(self._collect_actor, data, eps)
        return {i: {'action': action[k], 'prev_state': hidden_state[k]} for k, i in enumerate(data)}

    def _process_transition(self, obs: Any, policy_output: dict[str, Tensor], timestep: Any) -> dict[str, Any]:
        """Make what DI-engine's collector gathers of one step."""
        return make_transition(obs, policy_output, timestep)

    def _get_train_sample(self, transitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make the samples of one episode from the transitions that DI-engine's collector gathered."""
        return self._cut_episode(episode_sample(transitions))

    def _cut_episode(self, episode: dict[str, Tensor]) -> list[dict[str, Any]]:
        """Make the samples of one episode: itself, or its chunks if ``collect.unroll_len`` is set."""
        cfg = self._cfg.collect
        return cut_chunks(episode, cfg.unroll_len, cfg.burnin_step, cfg.stored_state)

    def _reset_collect(self, data_id: Optional[list[int]] = None) -> None:
        self._collect_actor.reset(data_id)

    def _state_dict_collect(self) -> dict[str, Any]:
        return {'model': self._collect_model.state_dict(), 'exploration_generator': self._collect_generator.get_state()}

    def _load_state_dict_collect(self, state_dict: dict[str, Any]) -> None:
        """Restore ``_state_dict_collect``, or the network alone from a learner's checkpoint."""
        check_state_dict('model', state_dict['model'])
        self._collect_model.load_state_dict(state_dict['model'])
        if 'exploration_generator' in state_dict:
            self._collect_generator.set_state(state_dict['exploration_generator'].cpu())

    # ------------------------------------------------------------------- eval

    def _init_eval(self) -> None:
        """Build the greedy actor."""
        self._eval_model = as_network(self._model, self._cfg.model)
        self._eval_actor = RecurrentActor(self._eval_model, use_kernels=self._cfg.learn.gradient != 'autograd')

    def _forward_eval(self, data: dict[int, Any]) -> dict[int, Any]:
        """Act greedily: {env_id: obs dict} -> {env_id: dict(action int64 [N])}."""
        action, _ = self._act(self._eval_actor, data, epsilon=0.)
        return {i: {'action': action[k]} for k, i in enumerate(data)}

    def _reset_eval(self, data_id: Optional[list[int]] = None) -> None:
        self._eval_actor.reset(data_id)

    def _load_state_dict_eval(self, state_dict: dict[str, Any]) -> None:
        check_state_dict('model', state_dict['model'])
        super()._load_state_dict_eval(state_dict)

    # ----------------------------------------------------------------- shared

    def _act(self, actor: RecurrentActor, data: dict[int, Any], epsilon: float) -> tuple[Tensor, Tensor]:
        """Batch the envs' obs dicts for the actor."""
        obs = torch.stack([torch.as_tensor(o['agent_state'], dtype=torch.float32) for o in data.values()])
        mask = torch.stack([torch.as_tensor(o['action_mask']) != 0 for o in data.values()])
        return actor.act(obs, mask, list(data), epsilon)
