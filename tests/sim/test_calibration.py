"""The page about the simulator keeps up with its calibration parameters."""
from pathlib import Path

import pytest

from ding_qmix.sim.calibration import SimKnobs


@pytest.mark.unittest
def test_docs_list_every_calibration_parameter_with_its_default(repo: Path) -> None:
    page = (repo / 'docs' / 'simulator.md').read_text('utf-8')
    rows = [[cell.strip() for cell in line.split('|')] for line in page.splitlines()]
    shown = {row[1].strip('`'): row[2] for row in rows if len(row) > 4 and row[1].startswith('`')}
    assert shown == {name: str(value) for name, value in SimKnobs()._asdict().items()}
