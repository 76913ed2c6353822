"""What stands beside measured numbers, and how they get into files and pages."""
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, Optional


def describe_run(note: str = '') -> dict[str, Any]:
    """
    Overview:
        Return what must stand beside a measured number: command, commit, date, machine, versions.
    Arguments:
        - note: what else a reader should know, such as that the machine was shared
    """
    import numba
    import numpy
    return {
        'command': shlex.join(['python', os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
        'commit': _commit(),
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'machine': {
            'cpu': _cpu_model(),
            'cores': len(os.sched_getaffinity(0)),
            'load_average': round(os.getloadavg()[0], 2),
            'system': platform.platform(),
        },
        'versions': {
            'python': platform.python_version(),
            'numpy': numpy.__version__,
            'numba': numba.__version__
        },
        'note': note,
    }


def write_json(path: str, result: dict[str, Any]) -> None:
    """Write a result, with folders as needed."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(result, file, indent=1)
        file.write('\n')


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, the columns aligned."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in cells]
    lines.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
    return '\n'.join(lines) + '\n'


def update_block(path: str, name: str, text: str) -> None:
    """
    Overview:
        Replace what stands in a Markdown page between ``<!-- begin name -->`` and ``<!-- end name -->``.
    Raises:
        - ValueError: the page has no such block
    """
    begin, end = f'<!-- begin {name} -->', f'<!-- end {name} -->'
    with open(path, encoding='utf-8') as file:
        page = file.read()
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f'{path} has no block {begin} ... {end}')
    before, rest = page.split(begin)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}')


def source_line(run: dict[str, Any]) -> str:
    """Return in one line of Markdown where numbers come from; ``run`` is what ``describe_run`` returned."""
    machine, note = run['machine'], f' {run["note"]}.' if run['note'] else ''
    return (
        f'`{run["command"]}` on {run["date"]}, commit {run["commit"]}; {machine["cores"]} cores of {machine["cpu"]}, '
        f'load {machine["load_average"]} at the start; Python {run["versions"]["python"]}, numba '
        f'{run["versions"]["numba"]}.{note}\n'
    )


def _cpu_model() -> str:
    """Return the processor's name, or what Python knows of it."""
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            lines = [line for line in file if line.startswith('model name')]
    except OSError:
        lines = []
    return lines[0].split(':', 1)[1].strip() if lines else platform.processor()


def _commit() -> Optional[str]:
    """Return the commit of the sources, '+' if they differ from it; None outside a repository."""
    folder = os.path.dirname(os.path.abspath(__file__))
    git = ['git', '-C', folder]
    try:
        commit = subprocess.run([*git, 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, check=True)
        changes = subprocess.run([*git, 'status', '--porcelain', '-uno'], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ('+' if changes.stdout.strip() else '')
