"""Calibration parameters: their page, their former name."""
from pathlib import Path

import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.calibration import Calibration


@pytest.mark.unittest
def test_docs_list_every_calibration_parameter_with_its_default(repo: Path) -> None:
    page = (repo / 'docs' / 'simulator.md').read_text('utf-8')
    rows = [[cell.strip() for cell in line.split('|')] for line in page.splitlines()]
    shown = {row[1].strip('`'): row[2] for row in rows if len(row) > 4 and row[1].startswith('`')}
    assert shown == {name: str(value) for name, value in Calibration()._asdict().items()}


@pytest.mark.unittest
def test_former_name_of_calibration_is_accepted_with_a_warning():
    import ding_qmix.sim.calibration as module
    with pytest.warns(DeprecationWarning, match='SimKnobs is now Calibration'):
        assert module.SimKnobs is Calibration
    with pytest.warns(DeprecationWarning, match="'knobs' is now 'calibration'"):
        env = SimVecEnv('3m', 1, n_threads=1, knobs=Calibration(reset_loops=3))
    assert env._params.calibration.reset_loops == 3
    with pytest.raises(AttributeError, match='SimNobs'):
        module.SimNobs  # noqa: B018
