from typing import Any

import numpy as np
import torch
from torch import Tensor

from ding_qmix.fast_cpu.agent import CPUAgent
from ding_qmix.fast_cpu.mixer import CPUMixer
from ding_qmix.fast_cpu.scratch_arrays import ScratchArrays
from ding_qmix.fast_cpu.shard import Shard, make_shard, pack_rows
from ding_qmix.fast_cpu.td_kernel import StepData, TDOptions, pick_values, spread_gradient, td_errors
from ding_qmix.model import QMix
from ding_qmix.rl_utils import TDSums
from ding_qmix.spec import EpisodeBatch


class CPUGradient:
    """
    Overview:
        The gradient of QMIX's loss on a shard of a batch by kernels: what autograd makes of ding_qmix.policy.loss, in
        some dozen large operations on arrays that are kept, where a graph has hundreds of small ones. For networks that
        ``why_not_network`` has nothing against; one object serves one thread.
    Interfaces:
        ``gradient``
    """

    def __init__(
            self, online: QMix, target: QMix, gamma: float, td_lambda: float, double_q: bool, timeout_is_terminal: bool
    ) -> None:
        """
        Arguments:
            - the others: as in ding_qmix.policy.loss
        """
        self._gamma, self._td_lambda = gamma, td_lambda
        self._double_q, self._timeout_is_terminal = double_q, timeout_is_terminal
        self._n_actions, self._hidden_dim = online.n_actions, online.agent.hidden_dim
        self._scratch_arrays = ScratchArrays()
        self._gradient, views = _gradient_views(online)
        self._agent = CPUAgent(online.agent, _below(views, 'agent.'))
        self._mixer = CPUMixer(online.mixer, _below(views, 'mixer.'))  # type: ignore[arg-type]  # a QMixer
        self._target_agent, self._target_mixer = CPUAgent(target.agent
                                                          ), CPUMixer(target.mixer)  # type: ignore[arg-type]

    def gradient(self, batch: EpisodeBatch, episode: Tensor, n_steps: Tensor) -> tuple[Tensor, TDSums]:
        """
        Overview:
            Compute a shard's part.
        Arguments:
            - batch: float32, longest episode first
            - episode: int64 [b], the shard's episodes, longest first
            - n_steps: real steps of the whole batch, which the loss is a mean over
        Returns:
            - gradient: [P], of all parameters in the model's order; valid until the next call
            - sums: of the shard's episodes
        """
        arrays: Any = batch.map(lambda tensor: tensor.numpy())  # as kernels take them
        shard, N = make_shard(episode.numpy(), arrays.length[episode.numpy()]), batch.obs.shape[2]
        obs, state, next_state = self._pack(arrays, shard)
        hidden = self._hidden(arrays, shard, N)
        rows, steps = shard.row_offsets * N, shard.row_offsets[:-1] * N  # the last rows of the longest are no steps
        # Double Q looks at the last rows for the best action; else nobody acts on them, nor asks for their values.
        seen = rows if self._double_q else steps
        q, _ = self._agent.forward(obs[:seen[-1]], seen, hidden, for_backward=True)
        target_q, _ = self._target_agent.forward(obs, rows, hidden)
        q, target_q = q.reshape(-1, N, self._n_actions), target_q.reshape(-1, N, self._n_actions)
        chosen, best = (self._scratch_arrays.array(name, shard.n_steps, N) for name in ('chosen', 'best'))
        pick_values(q, target_q, arrays.action, arrays.action_mask, shard, self._double_q, chosen, best)
        q_tot, next_q_tot = self._mixer.forward(chosen, state), self._target_mixer.forward(best, next_state)
        grad_q_tot, sums = self._td(arrays, shard, q_tot, next_q_tot, float(n_steps))
        self._gradient.zero_()
        grad_chosen = self._mixer.backward(chosen, state, grad_q_tot)
        grad_q = self._scratch_arrays.array('grad_q', steps[-1] // N, *q.shape[1:])
        spread_gradient(grad_chosen, arrays.action, shard, grad_q)
        self._agent.backward(obs[:steps[-1]], steps, grad_q.reshape(-1, self._n_actions))
        return self._gradient, TDSums(*(torch.from_numpy(field) for field in sums))

    def _pack(self, batch: Any, shard: Shard) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Obs [R * N, O] of all rows, and the states [R, S] before and after each step."""
        (N, obs_dim), S, array = batch.obs.shape[2:], batch.state.shape[2], self._scratch_arrays.array
        obs = array('obs', shard.n_rows, N * obs_dim)
        state, next_state = (array(name, shard.n_steps, S) for name in ('state', 'next_state'))
        pack_rows(batch.obs.reshape(*batch.obs.shape[:2], -1), shard.episode, shard.row_offsets, obs)
        pack_rows(batch.state, shard.episode, shard.step_offsets, state)
        pack_rows(batch.state[1:], shard.episode, shard.step_offsets, next_state)
        return obs.reshape(-1, obs_dim), state, next_state

    def _hidden(self, batch: Any, shard: Shard, n_agents: int) -> np.ndarray:
        """Hidden states before step 0, [b * N, H]."""
        if batch.hidden_state is None:
            return np.zeros((len(shard.episode) * n_agents, self._hidden_dim), dtype=np.float32)
        return batch.hidden_state[shard.episode].reshape(-1, self._hidden_dim)  # [b, N, 1, H] -> [b * N, H]

    def _td(self, batch: Any, shard: Shard, q_tot: np.ndarray, next_q_tot: np.ndarray,
            n_steps: float) -> tuple[np.ndarray, Any]:
        """Gradient of the loss by Q_tot, [R], and sums per episode, arrays [b]."""
        terminal = batch.terminated
        if self._timeout_is_terminal:
            terminal = np.maximum(terminal, batch.truncated)
        weight = np.ones(terminal.shape[1], dtype=np.float32) if batch.weight is None else batch.weight
        data = StepData(batch.reward, terminal, batch.mask, weight)
        options = TDOptions(*(np.float32(x) for x in (self._gamma, self._td_lambda, n_steps)))
        sums: Any = TDSums(*np.empty((len(TDSums._fields), len(shard.episode)), dtype=np.float32))
        grad = self._scratch_arrays.array('grad_q_tot', len(q_tot))
        td_errors(q_tot, next_q_tot, data, shard, options, grad, sums)
        return grad, sums


def _gradient_views(network: QMix) -> tuple[Tensor, dict[str, Tensor]]:
    """Zeros [P] for all parameters in the network's order, and their parts in the parameters' shapes, by name."""
    parameters = dict(network.named_parameters())
    gradient = torch.zeros(sum(p.numel() for p in parameters.values()))
    parts = gradient.split([p.numel() for p in parameters.values()])
    return gradient, {name: part.view_as(p) for (name, p), part in zip(parameters.items(), parts)}


def _below(views: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The entries of one module, by their names there."""
    return {name[len(prefix):]: view for name, view in views.items() if name.startswith(prefix)}
