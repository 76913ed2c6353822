"""DI-engine's formats: its model template, hidden states and checkpoints, and the configs of its other policies."""
from ding_qmix.ding_compat.data_only import open_checkpoints_as_data
from ding_qmix.ding_compat.masac import DingDiscreteMAQAC
from ding_qmix.ding_compat.model import DingQMix
from ding_qmix.ding_compat.model_adapter import DingModelAdapter, Network, as_network

__all__ = ['DingDiscreteMAQAC', 'DingModelAdapter', 'DingQMix', 'Network', 'as_network', 'open_checkpoints_as_data']
