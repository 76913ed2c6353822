from ding.policy.command_mode_policy_instance import EpsCommandModePolicy
from ding.utils import POLICY_REGISTRY

from ding_qmix.policy.qmix import QMIXPolicy


@POLICY_REGISTRY.register('ding_qmix_command')
class QMIXCommandModePolicy(QMIXPolicy, EpsCommandModePolicy):
    """
    Overview:
        QMIXPolicy as DI-engine's serial pipeline builds it: with a command mode that sets epsilon by env step.
    """

    def _get_setting_collect(self, command_info: dict) -> dict:
        """Note the env step on the way, for an evaluator that counts in env steps."""
        self._collector_env_step = command_info['envstep']
        return super()._get_setting_collect(command_info)
