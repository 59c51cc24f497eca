"""The loop of a run: it gives the tasks of a stage to a runner and keeps what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradespace.explore.events import Event, Listener, silent
from tradespace.explore.tasks import AnyTask, FitTask
from tradespace.explore.worker import fit_and_measure, measure_more

if TYPE_CHECKING:
    from tradespace.explore.ledger import Ledger
    from tradespace.explore.runners._base import Ended, Runner
    from tradespace.explore.stages import Stage

#: A task whose process something else killed is done once more in the same run.
MOST_TRIES = 2


def run_stage(stage: Stage, ledger: Ledger, runner: Runner, *, listen: Listener = silent) -> None:
    """Do what a stage suggests until it suggests nothing more and nothing runs."""
    running: dict[str, AnyTask] = {}
    tries: dict[str, int] = {}
    finished = 0
    if stage.total:
        listen(Event(stage.name, 0, stage.total))

    def submit(task: AnyTask) -> None:
        running[task.key] = task
        tries[task.key] = tries.get(task.key, 0) + 1
        function = fit_and_measure if isinstance(task, FitTask) else measure_more
        limit = ledger.study.budget.trial_wall_s
        runner.submit(task.key, function, ledger.setup, task, timeout_s=limit)

    def fill() -> None:
        most = min(stage.at_once or runner.workers, runner.workers)
        for task in stage.suggest(max(0, most - len(running))):
            submit(task)

    def again(ended: Ended) -> bool:
        return ended.ending == "killed" and tries[ended.key] < MOST_TRIES

    fill()
    while running:
        for ended in runner.ended():
            task = running.pop(ended.key)
            if again(ended):
                submit(task)
                continue
            stage.observe(task, ledger.keep(task, ledger.trials_of(task, ended)))
            finished += 1
            listen(Event(stage.name, finished, stage.total, task.candidates[0].name))
            fill()
