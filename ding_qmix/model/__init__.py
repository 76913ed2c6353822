"""The networks: recurrent agent, mixer, and the model template that joins them."""
from ding_qmix.ding_compat.adapter import HostQMix, with_packed_state
from ding_qmix.ding_compat.masac import HostDiscreteMAQAC
from ding_qmix.model.mixer import QMixer, VDNMixer
from ding_qmix.model.qmix import QMix

__all__ = ['HostDiscreteMAQAC', 'HostQMix', 'QMix', 'QMixer', 'VDNMixer', 'with_packed_state']
