"""The learner's hooks for the terminal: what runs and up to where, and in the end where everything lies."""
import os
from typing import Any

from ding.worker.learner.base_learner import BaseLearner
from ding.worker.learner.learner_hook import LearnerHook, register_learner_hook

from ding_qmix.run_state import RunState
from ding_qmix.terminal.compile_line import COMPILE_LINE
from ding_qmix.terminal.run_terminal import RunTerminal, clock, pipeline_budget


class BeginHook(LearnerHook):
    """Before the run: say what begins, and follow it where its parts tell how far it is."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        terminal, run = engine.policy.terminal, RunState.of(engine.tb_logger)
        if terminal is None or engine.rank != 0:
            return
        if not run.part_names:  # DI-engine's collector and evaluator, whose log is all there is
            terminal.close()
            return
        COMPILE_LINE.close()
        budget, path = pipeline_budget(), engine.policy.gradient_path
        terminal.follow(run.progress, budget, run.env_step)
        terminal.line.note(
            f'{engine.exp_name}: gradient by {path.name} ({path.reason}); everything in detail: '
            f'{os.path.join(engine.exp_name, "log")}; Ctrl-C saves and stops'
        )


class EndHook(LearnerHook):
    """After the run, also one stopped by Ctrl-C: where everything lies, and how to go on."""

    def __init__(self, *args: Any, ext_args: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __call__(self, engine: BaseLearner) -> None:
        terminal, run = engine.policy.terminal, RunState.of(engine.tb_logger)
        if terminal is None or engine.rank != 0 or not run.part_names:
            return
        COMPILE_LINE.close()
        terminal.close()
        for line in _summary(engine.exp_name, run, terminal):
            terminal.line.note(line)


def _summary(exp_name: str, run: RunState, terminal: RunTerminal) -> list[str]:
    """Return the last lines of a run."""
    found = run.progress.evaluation
    best = '' if found is None else f', best test win rate {found.best:.2f}'
    checkpoint = os.path.join(exp_name, 'ckpt', 'ckpt_best.pth.tar')
    evaluate = f'ding -m eval -c {os.path.join(exp_name, "formatted_total_config.py")} -s 0 --load-path {checkpoint}'
    rows = [
        ('best checkpoint', checkpoint),
        ('evaluations', os.path.join(exp_name, 'log', 'evaluator', 'evaluations.csv')),
        ('TensorBoard', f'tensorboard --logdir {os.path.join(exp_name, "log")}'),
        ('evaluate', evaluate),
        ('watch', f'{evaluate} --replay-path {os.path.join(exp_name, "replay")}'),
        ('go on', f'python entry/resume.py {exp_name} -c <its config file> --env-step {_next_budget(run.env_step)}'),
    ]
    head = f'{exp_name}: {run.env_step:,} env steps in {clock(terminal.seconds)}{best}'
    return [head, *(f'  {name:<16}{value}' for name, value in rows)]


def _next_budget(env_step: int) -> int:
    """Twice as many env steps, in round numbers."""
    digits = 10 ** max(0, len(str(env_step)) - 1)
    return 2 * max(1, round(env_step / digits)) * digits


register_learner_hook('ding_qmix_terminal_begin', BeginHook)
register_learner_hook('ding_qmix_terminal_end', EndHook)
