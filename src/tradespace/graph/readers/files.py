"""Models from files, told apart by what is in them, not by how they are called."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tradespace.core.errors import GraphError

if TYPE_CHECKING:
    from tradespace.graph.network import Network
    from tradespace.graph.readers.inputs import Shapes

_EXPORT = "Export the model as ONNX, or save it with Keras 3 as .keras."
_FROM_TORCH = (
    "Give the class instead, its file and its name: my_model.py:MyNet, or export it with "
    "torch.onnx.export."
)
#: What stands at the start of other files -> (what they are, what to do).
_MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (
        b"\x89HDF\r\n\x1a\n",
        0,
        "an HDF5 file, as Keras 2 wrote models and Keras 3 writes weights",
        "Load it with Keras and save it again: model.save('model.keras').",
    ),
    (b"TFL3", 4, "a TensorFlow Lite model", "Convert it with tf2onnx, or give what it came from."),
    (b"GGUF", 0, "a GGUF file of weights", "Name the network of the zoo, or export it as ONNX."),
    (b"\x93NUMPY", 0, "a NumPy array", _EXPORT),
    (b"%PDF", 0, "a PDF document", _EXPORT),
    (b"\x1f\x8b", 0, "a compressed file", "Unpack it first."),
    (b"\x89PNG", 0, "a picture", _EXPORT),
)


def read_model_file(
    source: str | Path, *, shapes: Shapes | None = None, name: str | None = None
) -> Network:
    """Return the network in an ONNX or Keras file.

    Parameters
    ----------
    source : path
        An ONNX model or a ``.keras`` file, whatever its name ends in.
    shapes : Mapping, optional
        Name of an input -> its shape, for sizes that the file leaves open; an empty name is the
        only input.
    name : str, optional
        Of the network; that of the file if not given.

    Raises
    ------
    GraphError
        If the file is no such model; it says what it is and what to do.

    """
    path = Path(source)
    kind = _kind(path)
    if kind == "keras":
        from tradespace.graph.readers.keras.read import read_keras

        return read_keras(path, shapes=shapes, name=name)
    from tradespace.graph.readers.onnx.read import read_onnx

    return read_onnx(path, shapes=shapes, name=name)


def _kind(path: Path) -> str:
    """Return "onnx" or "keras"; refuse everything else."""
    _check_is_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        msg = f"{path.name!r} cannot be read: {error.strerror}."
        raise GraphError(msg, remedy="Check who may read it.") from None
    if not start:
        msg = f"{path.name!r} is empty."
        raise GraphError(msg, remedy="Copy or export it again.")
    if start.startswith(b"PK"):
        return _zipped(path)
    for magic, at, what, remedy in _MAGIC:
        if start[at : at + len(magic)] == magic:
            msg = f"{path.name!r} is {what}."
            raise GraphError(msg, remedy=remedy)
    if start[0] == 0x80 and len(start) > 1 and start[1] in range(2, 6):
        msg = f"{path.name!r} is a pickle, which can run any code; it is never loaded."
        raise GraphError(msg, remedy=_FROM_TORCH)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 27:
        msg = f"{path.name!r} is a safetensors file: weights without a network."
        raise GraphError(msg, remedy=_FROM_TORCH)
    if _is_text(start):
        msg = f"{path.name!r} is text, no model."
        raise GraphError(msg, remedy=_text_remedy(path))
    return "onnx"


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        if (path / "saved_model.pb").exists() or (path / "keras_metadata.pb").exists():
            msg = f"{path.name!r} is a SavedModel of TensorFlow."
            raise GraphError(msg, remedy="Convert it with tf2onnx, or save it as .keras.")
        msg = f"{path.name!r} is a folder."
        raise GraphError(msg, remedy="Give a file: an ONNX model or a .keras file.")
    if not path.exists():
        msg = f"There is no file {path.name!r}."
        near = sorted(p.name for p in path.parent.glob("*") if p.stem == path.stem)
        remedy = f"Did you mean {near[0]!r}?" if near else "Check the path."
        raise GraphError(msg, remedy=remedy)
    if not path.is_file():
        msg = f"{path.name!r} is no ordinary file."
        raise GraphError(msg, remedy=_EXPORT)


def _zipped(path: Path) -> str:
    """Return "keras" for a zip file of Keras 3; say what another one is."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        msg = f"{path.name!r} is a zip file that is damaged or cut short."
        raise GraphError(msg, remedy="Copy or save it again.") from None
    if "config.json" in names:
        return "keras"
    inner = {n.partition("/")[2] or n for n in names}
    if "constants.pkl" in inner or any(n.startswith("code/") for n in inner):
        msg = f"{path.name!r} is a TorchScript archive."
        raise GraphError(msg, remedy=_FROM_TORCH)
    if "data.pkl" in inner:
        msg = (
            f"{path.name!r} is what torch.save wrote: a pickle, which can run any code; it is "
            "never loaded."
        )
        raise GraphError(msg, remedy=_FROM_TORCH)
    if any("exported_program" in n or n.endswith("models/model.json") for n in names):
        msg = f"{path.name!r} is a program that torch.export saved."
        raise GraphError(msg, remedy=_FROM_TORCH)
    msg = f"{path.name!r} is a zip file without a config.json: no model of Keras 3."
    raise GraphError(msg, remedy="Save the model in the format of Keras 3: model.save('m.keras').")


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\n\r\t" for c in text)


def _text_remedy(path: Path) -> str:
    if path.suffix == ".py":
        return f"Name the class in it: {path.name}:MyNet."
    return _EXPORT
