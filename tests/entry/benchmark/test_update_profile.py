"""The profile of an update runs with tiny settings and adds up."""
import json
from pathlib import Path

import pytest

from ding_qmix.fast_cpu.blas import why_no_blas


@pytest.mark.unittest
@pytest.mark.skipif(why_no_blas() is not None, reason=f'no BLAS for kernels: {why_no_blas()}')
def test_profile_accounts_for_the_whole_update(load, tmp_path: Path, capsys) -> None:
    out, page = tmp_path / 'profile.json', tmp_path / 'page.md'
    page.write_text('<!-- begin update_profile -->old<!-- end update_profile -->')
    args = ['--map', '3m', '--batch', '2', '--steps', '3', '--repeats', '1', '--out', str(out), '--doc', str(page)]
    load('benchmark/update_profile').main(args)
    *parts, whole = json.loads(out.read_text())['parts']
    assert whole['part'] == 'whole update' and 'old' not in page.read_text()
    assert sum(part['seconds'] for part in parts) == pytest.approx(whole['seconds'])
    assert sum(part['flop'] for part in parts) == whole['flop'] > 0
    assert capsys.readouterr().out.startswith('| batch')
