"""QMIXPolicy: learn, collect and eval modes, and the command mode of the serial pipeline."""
from ding_qmix.policy import log_gradient
from ding_qmix.policy.command import QMIXCommandModePolicy
from ding_qmix.policy.qmix import QMIXPolicy

__all__ = ['QMIXCommandModePolicy', 'QMIXPolicy', 'log_gradient']
