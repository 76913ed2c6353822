from typing import Any

from ding.model.template.maqac import DiscreteMAQAC
from ding.utils import MODEL_REGISTRY
from torch import Tensor


@MODEL_REGISTRY.register('ding_discrete_maqac')
class DingDiscreteMAQAC(DiscreteMAQAC):
    """
    Overview:
        DI-engine's actor-critic for MASAC, as DI-engine's policy 'discrete_sac' calls it: that passes an obs dict,
        where the model looks for one under the key 'obs', and so stops at its first obs (DI-engine 0.5.3).
    """

    def forward(self, inputs: dict[str, Tensor], mode: str) -> dict[str, Any]:
        """
        Overview:
            Return logits or action values.
        Arguments:
            - inputs: agent_state, global_state and action_mask
            - mode: 'compute_actor' or 'compute_critic'
        """
        return super().forward({'obs': inputs}, mode)
