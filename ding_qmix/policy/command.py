from typing import Any, Optional

import torch
from ding.policy.command_mode_policy_instance import EpsCommandModePolicy
from ding.utils import POLICY_REGISTRY, get_rank
from easydict import EasyDict

from ding_qmix.policy.modes import EvalMode
from ding_qmix.policy.qmix import QMIXPolicy
from ding_qmix.terminal import RunTerminal


@POLICY_REGISTRY.register('ding_qmix_command')
class QMIXCommandModePolicy(QMIXPolicy, EpsCommandModePolicy):
    """
    Overview:
        QMIXPolicy as DI-engine's serial pipeline builds it: with a command mode that sets epsilon by env step.
    """

    def __init__(
            self,
            cfg: EasyDict,
            model: Optional[torch.nn.Module] = None,
            enable_field: Optional[list[str]] = None
    ) -> None:
        """As ``QMIXPolicy``; from here on a run has the terminal."""
        if cfg.learn.get('terminal') == 'progress' and get_rank() == 0:
            self._terminal = RunTerminal()
            self._terminal.begin(self, f'ding_qmix: {cfg.model.agent_num} agents; building networks and battles')
        super().__init__(cfg, model, enable_field)

    def _init_command(self) -> None:
        super()._init_command()
        self._command_env_step = 0  # [env steps] collected so far

    @property
    def eval_mode(self) -> EvalMode:
        """That of QMIXPolicy, for an evaluator that may count in env steps."""
        return super().eval_mode._replace(env_step=self._collected_env_steps)

    def _get_setting_collect(self, command_info: dict[str, Any]) -> dict[str, Any]:
        """Note the env step on the way: DI-engine tells it to the command mode, not to the evaluator."""
        self._command_env_step = command_info['envstep']
        return super()._get_setting_collect(command_info)

    def _collected_env_steps(self) -> int:
        """As of the latest call of the command mode."""
        return self._command_env_step
