"""What stands beside measured numbers: tables and blocks of pages."""
from pathlib import Path

import pytest

from ding_qmix.utils.report import markdown_table, update_block


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / 'page.md'
    blocks = [f'<!-- begin {name} -->\nold\n<!-- end {name} -->' for name in ('sim_speed', 'sim_baselines')]
    path.write_text('# Page\n' + '\n'.join(blocks) + '\nlast\n')
    return path


@pytest.mark.unittest
def test_markdown_table_is_aligned() -> None:
    assert markdown_table(['a', 'bb'], [['ccc', 'd']]) == '| a   | bb |\n|-----|----|\n| ccc | d  |\n'


@pytest.mark.unittest
def test_update_block_replaces_only_its_block(page: Path) -> None:
    update_block(str(page), 'sim_speed', 'new')
    update_block(str(page), 'sim_speed', 'newer')
    text = page.read_text()
    assert text.startswith('# Page\n<!-- begin sim_speed -->\n\nnewer\n\n<!-- end sim_speed -->\n')
    assert text.endswith('old\n<!-- end sim_baselines -->\nlast\n')


@pytest.mark.unittest
def test_update_block_missing_raises(page: Path) -> None:
    with pytest.raises(ValueError, match='has no block'):
        update_block(str(page), 'other', 'new')
