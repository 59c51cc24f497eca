"""Reads the data of a study once, in a worker, and writes them where all workers find them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core.studies import Study
from tradespace.explore.tasks import Prepared

if TYPE_CHECKING:
    import polars as pl


def prepare_data(study: Study, folder: str) -> Prepared:
    """Load the study's data, save them for the workers, return what a plan needs to know.

    Raises
    ------
    InputError
        If the study or its data are wrong.

    """
    from tradespace.components.sizes import shape_of
    from tradespace.data.load import load_dataset
    from tradespace.data.storage import save_dataset
    from tradespace.explore.plan import all_uses
    from tradespace.qualities.measure import quality_of

    requires = {use.name: quality_of(use).requires(use.settings) for use in all_uses(study)}
    lineage = _lineage(study)
    dataset = load_dataset(
        study,
        extra_columns=tuple(
            dict.fromkeys(column for columns in requires.values() for column in columns)
        ),
        add_features=_add_features if study.features else None,
        versions={k: v for view in lineage.values() for k, v in view["features"].items()},
    )
    save_dataset(dataset, Path(folder))
    first = dataset.folds[0]
    return Prepared(
        place=folder,
        task=dataset.task,
        shape=shape_of(
            dataset.inputs.take(first.train),
            n_classes=max(2, len(dataset.classes)),
            whole=dataset.inputs,
        ),
        n_rows=dataset.n_rows,
        inputs=dataset.inputs.schema.to_dict(),
        classes=dataset.classes,
        folds={
            fold.name: {"train": len(fold.train), "score": len(fold.score)}
            for fold in dataset.folds
        },
        groups=None if dataset.groups is None else int(dataset.groups.max()) + 1,
        hash=dataset.hash,
        parts=dataset.parts,
        requires=requires,
        split=dict(dataset.split),
        notes=dataset.notes,
        features=lineage,
    )


def _lineage(study: Study) -> dict[str, Any]:
    if not study.features:
        return {}
    from tradespace.features.batch.study_columns import feature_lineage

    return feature_lineage(study)


def _add_features(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    from tradespace.features.batch.study_columns import add_features

    return add_features(frame, study)
