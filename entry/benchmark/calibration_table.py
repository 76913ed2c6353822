"""How figures are shown: as tables of Markdown, and as rows of JSON."""
from collections.abc import Sequence
from typing import Any, Optional

from calibration_figures import Estimate, Figure

from ding_qmix.utils.report import markdown_table

# Beginnings of the names that a page shows
_MAIN = {
    'one step': (
        'walking allies that touch nobody: exact', 'allies that attack: exact', 'enemies: error of position, 50 %',
        'enemies: error of position, 95 %', 'damage to', 'allies: the same', 'enemies: the same'
    ),
    'open loop': (
        'battles with the recorded winner', 'won', 'first ally dies', 'first enemy dies', 'ally: dead', 'enemy: dead'
    ),
}
_Z_SHOWN = 99.  # greater ones say no more than this


def figure_rows(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return figures as plain values for JSON."""
    return [
        {
            'part': figure.part,
            'map': figure.map_name,
            'figure': figure.name,
            'real': _plain(figure.real),
            'sim': _plain(figure.sim),
            'z': None if figure.z is None else round(figure.z, 2),
            'differs': figure.differs,
            'source': figure.source
        } for figure in figures
    ]


def result_tables(figures: Sequence[Figure]) -> str:
    """
    Overview:
        Return one table per part: numbers with the half width of their 95 % interval, z-score, (!) where real and
        simulated differ by more than chance.
    """
    text = ''
    for part in dict.fromkeys(figure.part for figure in figures):
        rows = [
            [
                figure.map_name, figure.name,
                _show(figure.real),
                _show(figure.sim),
                _show_z(figure.z), '(!)' if figure.differs else ''
            ] for figure in figures if figure.part == part
        ]
        text += f'{markdown_table([f"{part}: map", "what", "real", "simulated", "z", ""], rows)}\n'
    return text


def page_figures(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that a page shows: of the two parts that go through recordings only the main ones."""
    return [figure for figure in figures if figure.part not in _MAIN or figure.name.startswith(_MAIN[figure.part])]


def summary_table(figures: Sequence[Figure]) -> str:
    """Return how many figures of each part can be compared, and how many agree."""
    rows = []
    for part in dict.fromkeys(figure.part for figure in figures):
        known = [figure.differs for figure in figures if figure.part == part and figure.differs is not None]
        rows.append([part, str(len(known)), str(known.count(False)), str(known.count(True))])
    return markdown_table(['part', 'figures', 'agree', 'differ (!)'], rows)


def _plain(value: Optional[Estimate]) -> Optional[dict[str, Any]]:
    """Return an estimate as plain values."""
    if value is None:
        return None
    error = None if value.error is None else round(value.error, 5)
    return {'value': round(value.value, 5), 'error': error, 'n': value.n}


def _show(value: Optional[Estimate]) -> str:
    """'21.81 ± 0.04'; nothing stands for what was not measured, or came up never."""
    if value is None:
        return ''
    if not value.error:
        return f'{value.value:.4g}'
    digits = 3 if value.error < .01 else 2
    return f'{value.value:.{digits}f} ± {1.96 * value.error:.{digits}f}'


def _show_z(z: Optional[float]) -> str:
    """'-3.1'; '> 99' where it says no more."""
    if z is None:
        return ''
    return f'{z:+.1f}' if abs(z) <= _Z_SHOWN else f'{"+" if z > 0 else "-"}{_Z_SHOWN:.0f}'
