"""Names of files and of functions in files, checked before anything runs.

A Python file is parsed, never executed.
"""

from __future__ import annotations

import ast
from pathlib import Path as FilePath

from tradespace.core.errors import StudyError
from tradespace.core.suggest import nearest, unknown
from tradespace.files.code_rule import file_of, refuse_foreign_code, split_reference
from tradespace.files.python_files import parse_file

_LARGEST_BYTES = 2_000_000


def is_reference(text: str) -> bool:
    """Return whether a text reads like ``package.module:function`` or ``file.py:function``.

    Examples
    --------
    >>> is_reference("my_models.py:make"), is_reference("rows.csv"), is_reference("sklearn:iris")
    (True, False, True)

    """
    return split_reference(text) is not None


def check_reference(
    text: str,
    *,
    folder: str,
    what: str,
    kind: str = "function",
    others: list[str] | None = None,
    estimator: bool = False,
) -> None:
    """Raise if ``file.py:function`` names no file of the study's folder or no function in it.

    What an installed ``package.module`` holds is seen when it is imported. `kind` is what is
    named, for messages, and `others` what there is of it; an `estimator` may be scikit-learn's.

    Raises
    ------
    StudyError
        With what was found and the nearest name.

    """
    parts = split_reference(text)
    if parts is None:
        msg = f"{what} must read 'file.py:function' or 'package.module:function'; got {text!r}."
        remedy = "Put a ':' between the file or module and the function."
        raise StudyError(msg, remedy=remedy)
    module, name = parts
    refuse_foreign_code(module, folder=folder, what=what, error=StudyError, estimator=estimator)
    if module.endswith(".py"):
        check_file(module, folder=folder, what=what)
    file = file_of(module, folder)
    if estimator and file is None and module.startswith("sklearn") and not name[0].isupper():
        # Its functions load data and delete folders; its estimators are classes.
        msg = f"{text!r} is no estimator of scikit-learn."
        remedy = "Name a class, like 'sklearn.ensemble:ExtraTreesClassifier'."
        raise StudyError(msg, remedy=remedy)
    names = None if file is None else _names_in(file)
    if names is not None and name not in names:
        raise unknown(StudyError, f"{kind} of {module!r}:", name, others or sorted(names))


def check_view(text: str, *, folder: str, what: str) -> None:
    """Raise if ``features.py:view`` or ``features.yaml:view`` names no file beside the study.

    A view goes by the name of its variable or by its own. What a YAML file defines is read
    when it is needed.

    Raises
    ------
    StudyError
        With what was found and the nearest name.

    """
    file, _, name = text.rpartition(":")
    if not file or not name:
        file = (file or name) if (file or name).endswith((".py", ".yaml", ".yml")) else ""
        views = _views_in(FilePath(folder) / file) if file.endswith(".py") else []
        msg = f"{what} must read 'features.py:VIEW', a file and a view in it; got {text!r}."
        example = f"{file or 'features.py'}:{views[0] if views else 'customer'}"
        remedy = f"Put a ':' and the name of the view after the file, like {example!r}"
        remedy += f"; it has {', '.join(views)}." if len(views) > 1 else "."
        raise StudyError(msg, remedy=remedy)
    if file.endswith((".yaml", ".yml")):
        check_file(file, folder=folder, what=what)
        return
    views = _views_in(FilePath(folder) / file) if file.endswith(".py") else []
    if name not in views:
        check_reference(text, folder=folder, what=what, kind="view", others=views)


def check_file(name: str, *, folder: str, what: str) -> None:
    """Raise if there is no file of that name, relative to the study's folder.

    Raises
    ------
    StudyError
        With the nearest name in the folder.

    """
    path = FilePath(folder) / name
    if path.is_file():
        return
    if path.is_dir():
        msg = f"{what} must be a file; {name!r} is a folder."
        raise StudyError(msg, remedy="Name the file.")
    around = path.parent
    others = sorted(p.name for p in around.iterdir()) if around.is_dir() else []
    guess = nearest(path.name, others[:1000])
    remedy = "Paths are relative to the study file."
    if guess is not None:
        remedy = f"Did you mean {str(FilePath(name).with_name(guess))!r}? {remedy}"
    msg = f"There is no file {name!r}."
    raise StudyError(msg, remedy=remedy)


def _names_in(path: FilePath) -> set[str] | None:
    """Return the top-level names of a Python file, or None if they cannot be known."""
    if path.stat().st_size > _LARGEST_BYTES:
        return None
    try:
        tree = parse_file(path, StudyError)
    except StudyError as error:  # the place that counts is the study's, which names the file
        raise StudyError(error.message, remedy=error.remedy) from error
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                names |= {a.asname or a.name.partition(".")[0] for a in node.names}
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                pending += ast.iter_child_nodes(node)
            case ast.ExceptHandler():
                pending += node.body
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return None if names & {"*", "__getattr__"} else names


def _views_in(path: FilePath) -> list[str]:
    """Return the names of feature views in a Python file: their variables', and their own."""
    try:
        tree = parse_file(path, StudyError)
    except StudyError:
        return []
    found: list[str] = []
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=variable)], value=ast.Call() as call):
                made = ast.unparse(call.func).rpartition(".")[2]
                if made in ("FeatureView", "RowFeatures"):
                    found.append(variable)
                    if call.args and isinstance(call.args[0], ast.Constant):
                        found.append(str(call.args[0].value))
    return list(dict.fromkeys(found))
