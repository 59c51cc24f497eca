"""What is wished for where a study does not say: the usual quality of each task.

`draft` writes it into a new study, and `decide` assumes it for a study that asks nothing of
the predictions; both must mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from tradespace.core.studies import Task

#: Below this share of positives, ranking by ROC AUC hides what the few positives need.
RARE = 0.2


@dataclass(frozen=True, slots=True)
class Goal:
    """The quality to push, what a constant gets (None: not known), and why."""

    quality: str
    start: float | None
    why: str


def usual_goal(
    task: Task, *, positive_share: float | None = None, largest_share: float | None = None
) -> Goal:
    """Return the usual goal of a task.

    Parameters
    ----------
    task : Task
        What is predicted.
    positive_share : float, optional
        Share of positives among the rows of a binary task, 0 to 1.
    largest_share : float, optional
        Share of the most frequent class of a task of several classes, 0 to 1.

    Examples
    --------
    >>> usual_goal(Task.BINARY, positive_share=0.02).quality
    'average_precision'
    >>> usual_goal(Task.REGRESSION)
    Goal(quality='r2', start=0.0, why='r2 is 0 for the mean and 1 for perfect predictions')

    """
    if task is Task.REGRESSION:
        return Goal("r2", 0.0, "r2 is 0 for the mean and 1 for perfect predictions")
    if task is Task.MULTICLASS:
        return Goal(
            "accuracy", largest_share, "the most frequent class alone has the accuracy of 'from'"
        )
    if positive_share is not None and positive_share < RARE:
        return Goal(
            "average_precision",
            positive_share,
            "positives are rare; a constant gets their share, 'from'",
        )
    return Goal("roc_auc", 0.5, "a constant gets an ROC AUC of 0.5")
