"""What a run shows: compilation, one line of progress, the end; and what it leaves to the log files."""
import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from ding_qmix.run_state import DETAIL, TO_USER, Evaluation, RunProgress
from ding_qmix.terminal.compile_line import CompileLine
from ding_qmix.terminal.log_filter import ProgressFilter
from ding_qmix.terminal.run_terminal import RunTerminal, clock, pipeline_budget
from ding_qmix.terminal.status_line import StatusLine

# A run of three updates as `ding -m serial` begins it.
_RUN = '''
import ding_qmix
from ding.entry import serial_pipeline
from ding_qmix.config import make_config
config = make_config(
    '3m', exp_name='run', env=dict(collector_env_num=4, evaluator_env_num=4, n_evaluator_episode=4),
    policy=dict(learn=dict(update_per_collect=1, batch_size=4, terminal={terminal!r}), collect=dict(n_episode=4)),
)
serial_pipeline(config, seed=0, max_env_step=300)
'''


def _line(terminal: bool) -> tuple[StatusLine, io.StringIO]:
    out = io.StringIO()
    return StatusLine(Console(file=out, force_terminal=terminal, width=120, highlight=False)), out


def _run(folder: Path, terminal: str) -> str:
    command = [sys.executable, '-c', _RUN.format(terminal=terminal)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ''
    return done.stderr


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a run, and what the run wrote to standard error."""
    folder = tmp_path_factory.mktemp('terminal')
    return folder / 'run', _run(folder, 'progress')


@pytest.mark.unittest
def test_run_shows_budget_and_test_win_rate(run: tuple[Path, str]) -> None:
    assert '0% of 300 | test win rate 0.00 [0.00, 0.49] at 0, best 0.00' in run[1]


@pytest.mark.unittest
def test_run_ends_with_files_and_commands(run: tuple[Path, str]) -> None:
    folder, text = run
    assert 'best checkpoint run/ckpt/ckpt_best.pth.tar' in ' '.join(
        text.split()
    ) and (folder / 'ckpt' / 'ckpt_best.pth.tar').is_file()
    for command in ('ding -m eval -c run/formatted_total_config.py', '--replay-path run/replay', 'resume.py run -c'):
        assert command in text


@pytest.mark.unittest
def test_details_are_in_the_log_files_only(run: tuple[Path, str]) -> None:
    folder, text = run
    learner = (folder / 'log' / 'learner' / 'learner_logger.txt').read_text()
    evaluator = (folder / 'log' / 'evaluator' / 'evaluator_logger.txt').read_text()
    for detail, log in (('RecurrentQNetwork', learner), ('total_loss_avg', learner), ('over 4 episodes', evaluator)):
        assert detail in log and detail not in text
    assert 'Observation Space' not in text
    assert list((folder / 'log' / 'serial').glob('events.out.tfevents.*'))


@pytest.mark.unittest
def test_terminal_log_shows_what_ding_engine_writes(tmp_path: Path) -> None:
    text = _run(tmp_path, 'log')
    assert 'RecurrentQNetwork' in text and 'total_loss_avg' in text and 'Observation Space' in text
    assert 'best test win rate' not in text


@pytest.mark.unittest
def test_line_has_share_speed_win_rate_best_and_time_to_go() -> None:
    line, out = _line(terminal=True)
    terminal, progress = RunTerminal(line), RunProgress()
    terminal.follow(progress, 1000, 0)
    terminal._start -= 60.
    progress.collected(250)
    progress.evaluated(Evaluation(200, 0.5, 0.25, 0.75, 0.625))
    text = terminal.text()
    assert text.startswith(' 25% of 1,000 | ') and 'steps/s' in text
    assert 'test win rate 0.50 [0.25, 0.75] at 200, best 0.62' in text
    assert text.endswith('| 0:01:00, 0:03:00 to go') and ' 25% of 1,000' in out.getvalue()


@pytest.mark.unittest
@pytest.mark.parametrize('budget', [None, 10 ** 10])
def test_line_without_a_budget_counts_env_steps(budget: int) -> None:
    terminal, progress = RunTerminal(_line(terminal=False)[0]), RunProgress()
    terminal.follow(progress, budget, 0)
    progress.collected(12345)
    assert terminal.text().startswith('12,345 env steps | ') and 'to go' not in terminal.text()


@pytest.mark.unittest
def test_without_a_terminal_only_evaluations_get_lines() -> None:
    line, out = _line(terminal=False)
    terminal, progress = RunTerminal(line), RunProgress()
    terminal.follow(progress, 100, 0)
    progress.collected(10)
    assert out.getvalue() == ''
    progress.evaluated(Evaluation(10, 1., 0.5, 1., 1.))
    assert out.getvalue().count('\n') == 1


@pytest.mark.unittest
def test_closed_terminal_follows_nothing() -> None:
    line, out = _line(terminal=False)
    terminal, progress = RunTerminal(line), RunProgress()
    terminal.follow(progress, 100, 0)
    terminal.close()
    progress.evaluated(Evaluation(10, 1., 0.5, 1., 1.))
    assert out.getvalue() == ''


@pytest.mark.unittest
@pytest.mark.parametrize(
    'logger, extra, shown', [
        ('learner_logger', None, False), ('learner_logger', TO_USER, True), ('collector_logger', DETAIL, False),
        ('collector_logger', None, True)
    ]
)
def test_filter_keeps_details_from_the_terminal(logger: str, extra: dict, shown: bool) -> None:
    line, out = _line(terminal=False)
    record = logging.getLogger(logger).makeRecord(logger, logging.INFO, __file__, 1, 'a line', (), None, extra=extra)
    passed = ProgressFilter(line).filter(record)
    assert (passed or 'a line' in out.getvalue()) == shown


@pytest.mark.unittest
def test_filter_lets_warnings_through_and_writes_them_above_the_line() -> None:
    line, out = _line(terminal=True)
    record = logging.LogRecord('learner_logger', logging.WARNING, __file__, 1, 'beware', (), None)
    assert ProgressFilter(line).filter(record)
    line.show('50%')
    assert not ProgressFilter(line).filter(record) and 'beware' in out.getvalue()
    line.clear()


@pytest.mark.unittest
def test_filter_goes_with_its_run() -> None:
    root = logging.getLogger()
    before = [list(handler.filters) for handler in root.handlers]
    first, second = (ProgressFilter(_line(terminal=False)[0]) for _ in range(2))
    first.install()
    second.install()
    assert all(first not in handler.filters and second in handler.filters for handler in root.handlers)
    second.remove()
    assert [list(handler.filters) for handler in root.handlers][:len(before)] == before


@pytest.mark.unittest
def test_terminal_is_given_back_when_a_run_is_gone() -> None:

    class Owner:
        """What holds the terminal."""

    terminal, owner = RunTerminal(_line(terminal=False)[0]), Owner()
    terminal.begin(owner, 'a run')
    assert any(isinstance(f, ProgressFilter) for handler in logging.getLogger().handlers for f in handler.filters)
    del owner
    assert not any(isinstance(f, ProgressFilter) for handler in logging.getLogger().handlers for f in handler.filters)


@pytest.mark.unittest
def test_compile_line_tells_share_and_time_and_ends_with_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.]
    monkeypatch.setattr('ding_qmix.terminal.compile_line.time.perf_counter', lambda: now[0])
    line, out = _line(terminal=False)
    watch = CompileLine(line)
    for event, name in [('defined', 'outer'), ('defined', 'inner'), ('defined', 'kept'), ('loaded', 'kept')]:
        watch(event, name)
    assert out.getvalue() == ''
    watch('begun', 'outer')
    assert '  0%, about 50 s to go' in out.getvalue()
    watch('begun', 'inner')
    now[0] += 40.
    watch('ended', 'inner')
    assert ' 50%' in out.getvalue()
    now[0] += 2.
    watch('ended', 'outer')
    watch.close()
    assert 'compiled 2 kernels in 42 s' in out.getvalue()


@pytest.mark.unittest
def test_compile_line_is_silent_where_kernels_are_kept() -> None:
    line, out = _line(terminal=False)
    watch = CompileLine(line)
    for event in ('defined', 'loaded'):
        watch(event, 'outer')
    watch.close()
    assert out.getvalue() == ''


@pytest.mark.unittest
def test_budget_is_found_in_the_pipeline_above() -> None:

    def serial_pipeline(max_env_step: int) -> object:
        return pipeline_budget()

    assert (serial_pipeline(77), pipeline_budget()) == (77, None)


@pytest.mark.unittest
def test_clock_shows_hours() -> None:
    assert (clock(3725.), clock(-1.)) == ('1:02:05', '0:00:00')
