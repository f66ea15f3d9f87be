"""Files that a model names: those below its own folder, wherever links in between would lead."""

from __future__ import annotations

from pathlib import Path

from ansord_client.errors import BadModel


def beside(model: Path, location: str) -> Path:
    """The file at `location`, relative to the model's folder; it need not be there.

    :raises BadModel: it is, or leads by a link, outside of the folder.
    """
    if not location or Path(location).is_absolute() or ".." in Path(location).parts:
        raise BadModel(f"external data in {location!r}, wanted a file below the model's folder")
    try:
        folder = model.parent.resolve()
        file = (folder / location).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL in the name
        raise BadModel(f"external data in {location!r}: {error}") from error
    if not file.is_relative_to(folder):
        raise BadModel(f"external data in {location!r} is a link to {file}, outside of the model's folder")
    return file
