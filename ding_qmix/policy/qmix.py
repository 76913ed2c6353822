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
from ding_qmix.policy.fast_path import choose_gradient
from ding_qmix.policy.finite import check_shapes, check_state_dict, check_update
from ding_qmix.policy.flat_parameters import FlatParameters
from ding_qmix.policy.modes import TypedModePolicy
from ding_qmix.policy.optimizer import make_optimizer, update_target
from ding_qmix.policy.samples import collate_samples, cut_chunks, episode_sample, make_transition
from ding_qmix.policy.update import MEANS, TDUpdate, longest_first
from ding_qmix.run_state import use_whole_checkpoints
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
        ``config`` below, each key with its type, unit and meaning.
    """
    config = dict(
        # (str) RL policy register name (refer to function "POLICY_REGISTRY").
        type='ding_qmix',
        # (bool) Whether to use cuda for the networks.
        cuda=False,
        # (bool) QMIX is off-policy.
        on_policy=False,
        # (bool) Hand TD errors back to a prioritised replay buffer; set other.replay_buffer.priority as well.
        priority=False,
        # (bool) Weight samples against the bias of prioritised replay, by the buffer's importance weights.
        priority_IS_weight=False,
        learn=dict(
            # (int) How many updates after each collection. More means more off-policy.
            update_per_collect=20,
            # (int) How many episodes, or chunks, in a training batch.
            batch_size=32,
            # (str) 'rmsprop' (alpha 0.99, eps 1e-5, as in the paper) or 'adam'.
            optimizer='rmsprop',
            # (float) Step size of gradient descent.
            learning_rate=0.0005,
            # (float) L2 penalty on all parameters.
            weight_decay=0.,
            # (float) Bound of the gradient's 2-norm.
            clip_value=10.,
            # (float) Discount of future reward, in [0, 1].
            discount_factor=0.99,
            # (bool) The online network picks the action that the target network values.
            double_q=True,
            # (float) Lambda of the return, in [0, 1]: 0 is 1-step, 1 is Monte-Carlo.
            td_lambda=0.,
            # (int) [train iters] Copy the online to the target network this often. 0 when target_update_theta is set.
            target_update_freq=200,
            # (float) Share of the online network mixed into the target network at every update. 0 when freq is set.
            target_update_theta=0.,
            # (bool) Treat the time limit as the end of the battle: nothing follows, no bootstrap.
            timeout_is_terminal=True,
            save_run_state=True,  # (bool) Save the run's whole state, to resume exactly, see docs/reliability.md.
            save_run_seconds=300.,  # (float) [s] Between two saves; 0 never.
            save_run_env_steps=0,  # (int) [env steps] Between two saves; 0 never.
            resume_from='',  # (str) Folder (exp_name) of the run that goes on from its newest save; '' a new one.
            # DI-engine's learner: its hooks that save, resume, and log the choice of ``gradient``.
            learner=dict(
                hook=dict(
                    save_run=dict(name='save_run', type='ding_qmix_save_run', priority=30, position='after_run'),
                    load_run=dict(name='load_run', type='ding_qmix_load_run', priority=30, position='before_run'),
                    gradient=dict(name='gradient', type='ding_qmix_log_gradient', priority=40, position='before_run'),
                )
            ),
            # (int) Threads of an update on the CPU, one shard of the batch each; 0: one per core, for 4 samples each.
            n_threads=0,
            # (str) 'autograd': by policy/loss.py and torch's autograd, for any model; 'cpu': by the kernels of
            # fast_cpu, twice as fast; 'auto': by the kernels where they are for the model. A check at the start
            # compares the two. Acting follows: by plain torch with 'autograd'.
            gradient='auto',
            bf16=False,  # (bool) Large matrix products of an update in bfloat16, for GPUs; slower on CPUs.
        ),
        collect=dict(
            n_episode=32,  # (int) Episodes of one collection.
            # (int) [env steps] Length of the chunks to train on; 0 trains on whole episodes.
            unroll_len=0,
            # (int) [env steps] Steps before each chunk that warm up the hidden state and are not trained on.
            burnin_step=0,
            # (bool) Start a chunk from the hidden state of its collection (True) or from zeros (False).
            stored_state=True,
        ),
        eval=dict(),
        other=dict(
            eps=dict(
                # (str) 'linear' or 'exp'.
                type='linear',
                # (float) Probability of a random action at the start.
                start=1.,
                # (float) Probability of a random action in the end.
                end=0.05,
                # (int) [env steps] Length of the decay.
                decay=50000,
            ),
            # (int) Capacity in samples: episodes, or chunks if collect.unroll_len is set.
            replay_buffer=dict(replay_buffer_size=5000, ),
        ),
    )

    def __init__(
            self,
            cfg: EasyDict,
            model: Optional[torch.nn.Module] = None,
            enable_field: Optional[list[str]] = None
    ) -> None:
        """As in DI-engine's ``Policy``; the config is checked first, ValueError names what is wrong."""
        check_policy_config(cfg, self.config)
        use_whole_checkpoints(cfg.learn.get('learner', {}).get('hook', {}))
        super().__init__(cfg, model, enable_field)

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
