"""How the project is laid out: modules in a folder, and what an installation puts where.

python -m benchmarks.house.structure
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
ROOMS = ("alloop", "campaigns", "loop", "models", "oracles", "benchmarks")
"""Folders with code; those of tests mirror them and are not counted."""
UNPACKED = (".*", "build", "dist", "runs", "*.egg-info", "__pycache__")
"""What lies in a working tree and is no part of it."""


def figures() -> dict[str, float]:
    """Return ``largest_folder_modules``, and the top-level packages of wheels.

    ``wheel_top_level_packages`` is of the wheel built from the tree, ``…_of_sdist`` of the one
    built from the source distribution.
    """
    with TemporaryDirectory() as name:
        wheel, again = build_both(Path(name))
        return {
            "largest_folder_modules": float(max(modules().values())),
            "wheel_top_level_packages": float(len(top_level(wheel))),
            "wheel_top_level_packages_of_sdist": float(len(top_level(again))),
        }


def modules() -> dict[Path, int]:
    """Return how many modules each folder holds, ``__init__`` not counted, largest first."""
    counts: dict[Path, int] = {}
    for path in _sources():
        folder = path.parent.relative_to(ROOT)
        counts[folder] = counts.get(folder, 0) + (path.name != "__init__.py")
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _sources() -> Iterator[Path]:
    """Yield every source file once: rooms are reached by their folders, not by their links."""
    for room in ROOMS:
        yield from (ROOT / room).glob("*.py")
        for folder in (ROOT / room).iterdir():
            if folder.is_dir() and not folder.is_symlink():
                yield from folder.rglob("*.py")


def build_both(folder: Path) -> tuple[Path, Path]:
    """Return a wheel built from the tree, and one from the source distribution of the tree.

    What is built is a copy: files that an earlier build left in the tree would be packed too.
    """
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(*UNPACKED))
    sdist = build_sdist(tree, folder / "sdist")
    return build_wheel(tree, folder / "wheel"), build_wheel(sdist, folder / "wheel-of-sdist")


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of a tree or a source distribution by pip, with the setuptools that is here.

    Without an isolated environment nothing is downloaded.
    """
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run([*pip, *alone, "--wheel-dir", str(folder), str(source)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def build_sdist(source: Path, folder: Path) -> Path:
    """Build the source distribution by the project's build backend."""
    folder.mkdir(parents=True)
    call = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", call, str(folder)],
        cwd=source,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def names_in(archive: Path) -> set[str]:
    """Return the paths of the files in a wheel or source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            return {name for name in file.namelist() if not name.endswith("/")}
    with tarfile.open(archive) as file:
        return {member.name for member in file.getmembers() if member.isfile()}


def top_level(wheel: Path) -> set[str]:
    """Return what a wheel puts beside other packages, its own dist-info not counted."""
    firsts = {name.partition("/")[0] for name in names_in(wheel)}
    return {first for first in firsts if not first.endswith(".dist-info")}


if __name__ == "__main__":
    for folder, count in modules().items():
        print(f"{count:3d}  {folder}")
    print(figures())
