"""A table on disk holds whole rows only, whatever a killed process left."""
from pathlib import Path

import pytest

from ding_qmix.utils.result_file import ResultFile


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'results' / 'table.csv'
    for step in (0, 10, 20):
        ResultFile(str(path)).append({'step': step, 'x': 1.5})
    return path


def _steps(file):
    return [int(line.split(',')[0]) for line in Path(file).read_text('utf-8').splitlines()[1:]]


@pytest.mark.unittest
@pytest.mark.parametrize(
    'n_bytes, expected',
    [(27, [0, 10, 20, 30]), (26, [0, 10, 30]), (21, [0, 10, 30]), (20, [0, 10, 30]), (19, [0, 30]), (3, [30])]
)
def test_torn_row_goes_with_the_next_append(file, n_bytes, expected):
    file.write_bytes(file.read_bytes()[:n_bytes])
    ResultFile(str(file)).append({'step': 30, 'x': 2.})
    assert _steps(file) == expected and file.read_text('utf-8').startswith('step,x\n')


@pytest.mark.unittest
@pytest.mark.parametrize('value, expected', [(-1, []), (0, [0]), (15, [0, 10]), (20, [0, 10, 20])])
def test_rows_beyond_a_value_are_dropped(file, value, expected):
    ResultFile(str(file)).drop_beyond('step', value)
    assert _steps(file) == expected


@pytest.mark.unittest
def test_nothing_is_dropped_from_a_file_that_is_not_there(tmp_path):
    ResultFile(str(tmp_path / 'none.csv')).drop_beyond('step', 5)
    assert not (tmp_path / 'none.csv').exists()
