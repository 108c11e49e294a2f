import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def allogen() -> Path:
    """Folder of the public AlloGen data set."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("ALLOOP_DATA", beside)) / "allogen"
    if not folder.is_dir():
        pytest.skip(f"no AlloGen data in {folder}; set ALLOOP_DATA to the data sets' folder")
    return folder
