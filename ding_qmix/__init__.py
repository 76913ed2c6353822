"""
QMIX for DI-engine. Importing this package registers its names with DI-engine and does nothing else: policies
``ding_qmix`` and ``ding_qmix_command``, models ``ding_qmix`` and ``ding_discrete_maqac``, env ``ding_smac``, env
manager ``ding_smac_vector``, collector ``ding_qmix_vector``, buffer ``ding_qmix_episode``, evaluator
``ding_qmix_win_rate``.
"""
__version__ = '0.2.0'

from ding_qmix.utils.quiet_import import quiet_import

with quiet_import():
    from ding_qmix.numba_kernel import watchers
    from ding_qmix.terminal import COMPILE_LINE
    watchers.append(COMPILE_LINE)  # before the first kernel is defined
    from ding_qmix import envs, model, policy, worker

__all__ = ['__version__', 'envs', 'model', 'policy', 'worker']
