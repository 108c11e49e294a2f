"""Where the public data sets lie: ALLOOP_DATA, or ../shared/data beside the repository."""

import os
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of the public data sets.

    Raises:
        FileNotFoundError: naming the remedy.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ALLOOP_DATA", beside))
    if not folder.is_dir():
        raise FileNotFoundError(f"no data in {folder}: set ALLOOP_DATA to the data sets' folder")
    return folder


def use_data_folder() -> None:
    """Let campaigns find the public data sets by name: set ALLOOP_DATA, if it is not set."""
    os.environ["ALLOOP_DATA"] = str(data_folder())


def allogen_folder() -> Path:
    """Return the folder of the AlloGen data set."""
    return data_folder() / "allogen"
