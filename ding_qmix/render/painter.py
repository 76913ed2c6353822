"""Pictures of a battle. Needs pillow, which the extra ``render`` and matplotlib install."""
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ding_qmix.render import style
from ding_qmix.render.extent import map_extent
from ding_qmix.render.frame import BattleFrame
from ding_qmix.render.q_panel import paint_q_values, q_panel_width
from ding_qmix.render.style import Color, blend
from ding_qmix.sim.unit_types import AIR, UNIT_TYPES, UnitType
from ding_qmix.smac.scenarios import get_scenario
from ding_qmix.smac.terrain import MAP_SIZE, cliff_grid, pathing_grid
from ding_qmix.smac.units import UNIT_NAMES, UNIT_STATS
from ding_qmix.spec import EnvSpec, UnitSnapshot

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SHARPNESS = 2  # pictures are drawn this many times larger, then reduced, for smooth edges
HEADER = 34  # [pixels] height of the lines of text above and below the map
SECONDS_PER_STEP = 0.5  # [game seconds per env step], at normal speed
AIM_SLACK = 1.  # [map units] beyond weapon range up to which a target counts as being shot at


class BattlePainter:
    """
    Overview:
        Draws moments of battles on one map.
    Interfaces:
        ``paint``
    Arguments:
        - spec: of the env
        - scale: [pixels per map unit]
        - q_values: leave space for Q-values beside the map
    Raises:
        - ImportError: pillow is not installed
        - ValueError: scale < 4
    """

    def __init__(self, spec: EnvSpec, scale: int = 22, q_values: bool = False) -> None:
        if scale < 4:
            raise ValueError(f'BattlePainter: scale={scale} pixels per map unit, expected at least 4')
        _import_pillow()
        self._spec = spec
        self._pixels = scale * SHARPNESS  # per map unit
        grid = pathing_grid(get_scenario(spec.map_name).terrain)
        self._left, self._right, self._bottom, self._top = map_extent(grid)
        width = (self._right - self._left) * self._pixels
        self._map_width = width
        self._panel = q_panel_width(spec, SHARPNESS) if q_values else 0
        height = (self._top - self._bottom) * self._pixels + 2 * HEADER * SHARPNESS
        self._size = width + self._panel, height + height % (2 * SHARPNESS)
        self._background = self._paint_terrain(grid, cliff_grid(get_scenario(spec.map_name).terrain))
        self._font = {size: _font(size * SHARPNESS) for size in (10, 13, 15)}
        self._letter_fonts = {name: _font(max(8, round(1.15 * t.radius * self._pixels))) for name, t in _types()}

    def paint(self, frame: BattleFrame) -> np.ndarray:
        """
        Overview:
            Draw one moment.
        Shapes:
            - returns: uint8 [height, width, 3], both even
        """
        from PIL import ImageDraw
        image = self._background.copy()
        draw = ImageDraw.Draw(image)
        names = [UNIT_NAMES[i] for i in frame.units.unit_type[0]]
        order = np.argsort([UNIT_TYPES[name].layer for name in names], kind='stable')  # fliers last, on top
        self._paint_dead(draw, frame.units)
        for paint_part in (self._paint_range, self._paint_aim, self._paint_icon, self._paint_bars):
            for u in order:
                if frame.units.alive[0, u]:
                    paint_part(draw, frame.units, u, names)
        self._paint_text(draw, frame, names)
        if self._panel and frame.q_values is not None:
            paint_q_values(draw, (self._map_width, HEADER * SHARPNESS), self._font[10], SHARPNESS, frame, names)
        return np.asarray(image.reduce(SHARPNESS))

    def _place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the map is in the picture, [pixels]."""
        return (x - self._left) * self._pixels, (self._top - y) * self._pixels + HEADER * SHARPNESS

    def _paint_terrain(self, grid: np.ndarray, cliffs: np.ndarray) -> 'Image':
        """Draw what never changes."""
        from PIL import Image, ImageDraw
        image = Image.new('RGB', self._size, style.PAPER)
        draw = ImageDraw.Draw(image)
        for x in range(max(0, self._left), min(MAP_SIZE, self._right)):
            for y in range(max(0, self._bottom), min(MAP_SIZE, self._top)):
                left, bottom = self._place(x, y)
                box = (left, bottom - self._pixels, left + self._pixels - 1, bottom - 1)
                if grid[x, y]:
                    draw.rectangle(box, style.PATHABLE, style.GRID_LINE)
                else:
                    draw.rectangle(box, style.CLIFF if cliffs[x, y] else style.ROCK)
        return image

    def _paint_dead(self, draw: 'ImageDraw', units: UnitSnapshot) -> None:
        """Cross out the places where units died."""
        arm = 0.2 * self._pixels
        for u in np.flatnonzero(~units.alive[0]):
            x, y = self._place(units.x[0, u], units.y[0, u])
            color = blend(self._team(u), style.PATHABLE, 0.6)
            draw.line((x - arm, y - arm, x + arm, y + arm), color, SHARPNESS)
            draw.line((x - arm, y + arm, x + arm, y - arm), color, SHARPNESS)

    def _paint_range(self, draw: 'ImageDraw', units: UnitSnapshot, u: int, names: list[str]) -> None:
        """Draw a faint circle around what a ranged unit can shoot at."""
        weapon = UNIT_TYPES[names[u]].weapon
        if weapon is None or weapon.range < 1.:
            return
        x, y = self._place(units.x[0, u], units.y[0, u])
        reach = (weapon.range + UNIT_TYPES[names[u]].radius) * self._pixels
        color = blend(self._team(u), style.PATHABLE, 0.16)
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=color, width=SHARPNESS)

    def _paint_aim(self, draw: 'ImageDraw', units: UnitSnapshot, u: int, names: list[str]) -> None:
        """Draw a line to the unit that is shot at or healed, a faint one to a target that is still out of range."""
        target = int(units.target[0, u])
        if target < 0 or not units.alive[0, target]:
            return
        kind, other = UNIT_TYPES[names[u]], UNIT_TYPES[names[target]]
        ends = self._place(units.x[0, u], units.y[0, u]) + self._place(units.x[0, target], units.y[0, target])
        distance = math.hypot(ends[2] - ends[0], ends[3] - ends[1]) / self._pixels - kind.radius - other.radius
        color = style.HEALING if kind.weapon is None else self._team(u, style.ALLY_SHOT, style.ENEMY_SHOT)
        if distance <= _weapon_range(kind) + AIM_SLACK:
            draw.line(ends, color, SHARPNESS + 1)
        else:
            draw.line(ends, blend(color, style.PATHABLE, 0.22), SHARPNESS)

    def _paint_icon(self, draw: 'ImageDraw', units: UnitSnapshot, u: int, names: list[str]) -> None:
        """Draw the unit's icon in its size; of a flier the outline, as others stand below it."""
        x, y = self._place(units.x[0, u], units.y[0, u])
        kind, icon = UNIT_TYPES[names[u]], style.ICONS[names[u]]
        radius = kind.radius * self._pixels
        outline = blend(self._team(u), style.INK, 0.5)
        fill = None if kind.layer == AIR else blend(self._team(u), style.PAPER, 0.8)
        width = SHARPNESS * (2 if kind.layer == AIR else 1)
        if icon.n_sides == 0:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, outline, width)
        else:
            draw.polygon(_polygon(x, y, radius * 1.12, icon), fill, outline, width)
        draw.text((x, y), icon.letter, style.INK, self._letter_fonts[names[u]], 'mm')

    def _paint_bars(self, draw: 'ImageDraw', units: UnitSnapshot, u: int, names: list[str]) -> None:
        """Draw what the unit has left of life, shield and energy, one bar above the other."""
        x, y = self._place(units.x[0, u], units.y[0, u])
        stats = UNIT_STATS[UNIT_NAMES.index(names[u])]
        life = units.health[0, u] / stats.health
        bars = [(life, style.LIFE_HIGH if life > .6 else style.LIFE_MID if life > .3 else style.LIFE_LOW)]
        if stats.shield > 0.:
            bars.append((units.shield[0, u] / stats.shield, style.SHIELD))
        if stats.energy_max > 0.:
            bars.append((units.energy[0, u] / stats.energy_max, style.ENERGY))
        radius = UNIT_TYPES[names[u]].radius * self._pixels
        half_width, thick = max(0.4 * self._pixels, 0.9 * radius), 0.13 * self._pixels
        for i, (share, color) in enumerate(bars):
            bottom = y - radius * 1.15 - i * (thick + 1) - 1
            draw.rectangle((x - half_width, bottom - thick, x + half_width, bottom), style.BAR_EMPTY)
            if share > 0.:
                right = x - half_width + 2. * half_width * min(share, 1.)
                draw.rectangle((x - half_width, bottom - thick, right, bottom), color)

    def _paint_text(self, draw: 'ImageDraw', frame: BattleFrame, names: list[str]) -> None:
        """Write above the map how the battle stands, below it what the icons mean."""
        spec, alive = self._spec, frame.units.alive[0]
        allies, enemies = int(alive[:spec.n_agents].sum()), int(alive[spec.n_agents:].sum())
        pieces = [
            (spec.map_name, style.INK, 15),
            (f'step {frame.step}/{spec.episode_limit}', style.FAINT_INK, 13),
            (f'allies {allies}/{spec.n_agents}', style.ALLY, 13),
            (f'enemies {enemies}/{spec.n_enemies}', style.ENEMY, 13),
            (f'reward {frame.reward:+.2f}', style.FAINT_INK, 13),
            (f'return {frame.episode_return:.2f}', style.FAINT_INK, 13),
        ]
        if frame.result:
            pieces.append((frame.result.upper(), style.LIFE_HIGH if frame.result == 'won' else style.LIFE_LOW, 15))
        self._write_line(draw, HEADER * SHARPNESS // 2, pieces)
        legend = [(f'{style.ICONS[n].letter} {n.replace("_", " ")}', style.FAINT_INK, 13) for n in sorted(set(names))]
        seconds = f'{frame.step * SECONDS_PER_STEP:.1f} s of game time'
        self._write_line(draw, self._size[1] - HEADER * SHARPNESS // 2, [*legend, (seconds, style.FAINT_INK, 13)])

    def _write_line(self, draw: 'ImageDraw', y: float, pieces: list[tuple[str, Color, int]]) -> None:
        """Write words in one line, closer together and smaller if they would not fit."""
        gap = 14 * SHARPNESS
        shrink = 1. if sum(self._font[s].getlength(t) + gap for t, _, s in pieces) <= self._size[0] else .75
        x = gap * 0.6
        for text, color, size in pieces:
            font = self._font[size if shrink == 1. else 10]
            draw.text((x, y), text, color, font, 'lm')
            x += font.getlength(text) + gap * shrink

    def _team(self, u: int, ally: Color = style.ALLY, enemy: Color = style.ENEMY) -> Color:
        """Return the colour of a unit's side."""
        return ally if u < self._spec.n_agents else enemy


def _import_pillow() -> None:
    """Raise an ImportError that says what to install if pillow is missing."""
    try:
        import PIL  # noqa: F401
    except ImportError as e:
        raise ImportError("drawing battles needs pillow: pip install 'ding-qmix[render]'") from e


def _font(size: int) -> Any:
    """Return pillow's own font in a size, [pixels]."""
    from PIL import ImageFont
    return ImageFont.load_default(size)


def _types() -> list[tuple[str, UnitType]]:
    """Return the unit types that can be drawn."""
    return [(name, kind) for name, kind in UNIT_TYPES.items() if name in style.ICONS]


def _weapon_range(kind: UnitType) -> float:
    """Return from how far a unit does its work, [map units]; a healer's is about that of a rifle."""
    return kind.weapon.range if kind.weapon is not None else 4.


def _polygon(x: float, y: float, radius: float, icon: style.Icon) -> list[tuple[float, float]]:
    """Return the corners of an icon's outline, [pixels]."""
    angles = [2. * math.pi * (k / icon.n_sides + icon.turn) for k in range(icon.n_sides)]
    return [(x + radius * math.cos(a), y - radius * math.sin(a)) for a in angles]
