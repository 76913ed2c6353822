"""The networks, in plain torch: agents' recurrent Q-network, mixers, and QMix, which joins them."""
from ding_qmix.model.agent import RecurrentQNetwork
from ding_qmix.model.mixer import QMixer, VDNMixer
from ding_qmix.model.network import QNetwork
from ding_qmix.model.qmix import QMix

__all__ = ['QMix', 'QMixer', 'QNetwork', 'RecurrentQNetwork', 'VDNMixer']
