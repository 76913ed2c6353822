"""Small helpers without a room of their own."""
from ding_qmix.utils.keys import check_keys, nearest_hint

__all__ = ['check_keys', 'nearest_hint']
