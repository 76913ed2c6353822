"""Q-values beside the picture of a battle: one row per agent, one column per action."""
from typing import TYPE_CHECKING

import numpy as np

from ding_qmix.render import style
from ding_qmix.render.frame import BattleFrame
from ding_qmix.smac.rules import FIRST_TARGET, NO_OP
from ding_qmix.spec import EnvSpec

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_MARGIN = 10  # [pixels]
_LABEL = 34  # [pixels] width of the agents' names
_ROW = 16  # [pixels] height of a row
_WORDS = ('-', 'stop', 'N', 'S', 'E', 'W')  # the actions before the targets


def q_panel_width(spec: EnvSpec, sharpness: int) -> int:
    """Return the width that the Q-values of a map take, [pixels drawn]."""
    return (_LABEL + 2 * _MARGIN + _cell_width(spec.n_actions) * spec.n_actions) * sharpness // 4 * 4


def paint_q_values(
        draw: 'ImageDraw', corner: tuple[float, float], font: 'FreeTypeFont', sharpness: int, frame: BattleFrame,
        names: list[str]
) -> None:
    """
    Overview:
        Draw the Q-values of one moment: the brighter the higher, dark if illegal, framed if chosen.
    Arguments:
        - corner, sharpness: upper left corner of the panel; pixels drawn per pixel of the picture
        - frame, names: the moment, with its q_values and action_mask; the types of its units
    """
    assert frame.q_values is not None
    q_values, (n_agents, n_actions) = frame.q_values, frame.q_values.shape
    legal = np.ones((n_agents, n_actions), bool) if frame.action_mask is None else frame.action_mask.copy()
    legal[:, NO_OP] = False  # all that the dead can do
    width, row = _cell_width(n_actions) * sharpness, _ROW * sharpness
    left, top = corner[0] + (_MARGIN + _LABEL) * sharpness, corner[1] + 2 * row
    shown = q_values[legal] if legal.any() else np.zeros(1)
    low, high = float(shown.min()), float(shown.max())
    draw.text((corner[0] + _MARGIN * sharpness, corner[1]), f'Q {low:.2f} .. {high:.2f}', style.FAINT_INK, font, 'la')
    for action in range(n_actions):
        word = _WORDS[action] if action < FIRST_TARGET else str(action - FIRST_TARGET)
        if n_actions <= 24 or (action >= FIRST_TARGET and (action - FIRST_TARGET) % 5 == 0):
            place = left + (action + .5) * width, top - 2 * sharpness
            draw.text(place, word[:1] if action < FIRST_TARGET else word, style.FAINT_INK, font, 'mb')
    for agent in range(n_agents):
        y = top + agent * row
        label = f'{agent} {style.ICONS[names[agent]].letter}'
        draw.text((left - 6 * sharpness, y + row / 2), label, style.FAINT_INK, font, 'rm')
        for action in range(n_actions):
            box = left + action * width, y, left + (action + 1) * width - sharpness, y + row - sharpness
            if legal[agent, action]:
                share = (q_values[agent, action] - low) / max(high - low, 1e-9)
                draw.rectangle(box, style.blend(style.Q_HIGH, style.Q_LOW, float(share)))
            else:
                draw.rectangle(box, style.ROCK)
            if frame.actions is not None and frame.actions[agent] == action != NO_OP:
                draw.rectangle(box, outline=style.INK, width=sharpness)


def _cell_width(n_actions: int) -> int:
    """Return the width of a column, [pixels]."""
    return max(6, min(18, 380 // n_actions))
