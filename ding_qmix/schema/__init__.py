"""What config keys and calibration parameters take: declared once, beside the default, and checked by name."""
from ding_qmix.schema.rules import (
    ANYTHING,
    FLAG,
    FOLDER,
    SECTION,
    TEXT,
    Rule,
    choice,
    integer,
    list_of,
    number,
    optional,
    union,
)
from ding_qmix.schema.section import Key, Schema, check_section, check_value, defaults, merge

__all__ = [
    'ANYTHING', 'FLAG', 'FOLDER', 'SECTION', 'TEXT', 'Key', 'Rule', 'Schema', 'check_section', 'check_value', 'choice',
    'defaults', 'integer', 'list_of', 'merge', 'number', 'optional', 'union'
]
