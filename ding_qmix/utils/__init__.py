"""Small helpers that belong to no other package."""
from ding_qmix.utils.keys import check_keys, nearest_hint

__all__ = ['check_keys', 'nearest_hint']
