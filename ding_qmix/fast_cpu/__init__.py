"""
The networks and the loss once more, as CPU kernels: forward and backward kernels over packed sequences, and the
BLAS below them. Everything trains without this package, slower; ding_qmix.policy.fast_path says when it is used.
"""
from ding_qmix.fast_cpu.agent import CPUAgent
from ding_qmix.fast_cpu.gradient import CPUGradient
from ding_qmix.fast_cpu.support import why_not_agent, why_not_network

__all__ = ['CPUAgent', 'CPUGradient', 'why_not_agent', 'why_not_network']
