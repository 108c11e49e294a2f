"""Files that a campaign names: a relative path begins at the campaign's own file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

FOLDER = "folder"
"""Key of a validation's context: where relative paths begin."""


def _absolute(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get(FOLDER, Path())
    return (Path(folder) / path).absolute()


OwnFile = Annotated[Path, AfterValidator(_absolute)]
"""Path in a campaign; absolute once it is read."""
