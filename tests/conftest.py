import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# No test finds labels of another one, or of the user's; those that are about labels say where.
os.environ["ALLOOP_CACHE"] = "off"

# Nor the user's key and settings: each test process has its own.
_HOME = tempfile.mkdtemp(prefix="alloop-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
    os.environ[_name] = os.path.join(_HOME, _name.lower())
os.environ.pop("ALLOOP_SETTINGS", None)

# How long an example takes is the machine's affair, not the test's.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Path]:
    """Return a function that writes the user's settings, and returns their path."""

    def write(profiles: object) -> Path:
        path = tmp_path / "settings.yaml"
        path.write_text(json.dumps({"profiles": profiles}))  # JSON is YAML
        path.chmod(0o600)
        monkeypatch.setenv("ALLOOP_SETTINGS", str(path))
        return path

    return write


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the public data sets."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ALLOOP_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; set ALLOOP_DATA")
    return folder


@pytest.fixture(scope="session")
def allogen(data_folder: Path) -> Path:
    """Folder of the public AlloGen data set."""
    folder = data_folder / "allogen"
    if not folder.is_dir():
        pytest.skip(f"no AlloGen data in {data_folder}")
    return folder
