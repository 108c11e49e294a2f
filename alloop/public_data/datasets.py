"""Public data sets by name: where they lie here, and where they come from.

A folder named by ``ALLOOP_DATA`` comes first, so that nothing is downloaded where the files are
at hand; else the user's cache, which ``fetch`` fills. What is downloaded is checked against its
SHA-256 before it gets its name, so a file that is there is a whole one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from alloop.errors import DataError

VARIABLE = "ALLOOP_DATA"
"""Environment variable that names the folder of the data sets."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set."""

    url: str
    sha256: str | None = None
    """SHA-256 of the file; None where it is not known beforehand, and the transport is all that is
    trusted."""


@dataclass(frozen=True)
class DataSet:
    """A published data set."""

    folder: str
    """Folder below the data folder."""
    files: Mapping[str, RemoteFile]
    """Files of the dataset by name; the first is the one that a table tier reads."""
    about: str
    source: str

    @property
    def table(self) -> str:
        """Path of the main file, below the data folder."""
        return f"{self.folder}/{next(iter(self.files))}"


_HEA = "https://raw.githubusercontent.com/cengc13/d_vae_hea/d6f640a9ce96166738e8ca7466aa3641e755ad3b/data"
"""URL of the repository of the paper's authors, at the commit whose files have these sums."""
_CDVAE = "https://raw.githubusercontent.com/txie-93/cdvae/main/data"


_OLYMPUS = "https://raw.githubusercontent.com/aspuru-guzik-group/olympus/440b6b58ebfcaa2391cff7e94b570fb4fda98d68/src/olympus/datasets"
_MATCALC = "https://raw.githubusercontent.com/materialsvirtuallab/matcalc/aa76b41edb9ffb62f7efb2b5d3a3f7a8b2b4747d/benchmark_data"


def _oer(plate: int, n: str, sha256: str) -> DataSet:
    url = f"{_OLYMPUS}/dataset_oer_plate_{plate}/data.csv"
    about = f"{n} oxygen-evolution catalysts of Ni, Fe, Co, Mn, Ce, La: overpotentials"
    source = "Rohr et al., Chem. Sci. 11, 2696 (2020); github.com/aspuru-guzik-group/olympus"
    return DataSet("yardsticks/oer", {f"plate_{plate}.csv": RemoteFile(url, sha256)}, about, source)


def _cdvae(folder: str, about: str, **sums: str) -> DataSet:
    files = {
        f"{part}.csv": RemoteFile(f"{_CDVAE}/{folder}/{part}.csv", sums.get(part))
        for part in ("train", "val", "test")
    }
    source = "Xie et al., Crystal Diffusion VAE, ICLR 2022; github.com/txie-93/cdvae"
    return DataSet(folder, files, about, source)


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        "hea": DataSet(
            "hea",
            {
                "HEA_top30_comps.csv": RemoteFile(
                    f"{_HEA}/HEA_top30_comps.csv",
                    "ddeeab9b7746baf32a00974ac8852aeaea031fac3f7d1436e9f591d93b7bf304",
                ),
                "HEA_feature_engineered.csv": RemoteFile(
                    f"{_HEA}/HEA_feature_engineered.csv",
                    "fa38205436061dd820653595544ccefda02675f57a5e3cb5acc239552d517139",
                ),
            },
            "1,375 alloys of 30 elements: is it a single phase?",
            "Zeng, Khan and Post, arXiv:2409.06740; github.com/EngRes-RouxInst/d_vae_heal",
        ),
        "perov-5": _cdvae(
            "perov_5",
            "18,928 perovskites with formation energies",
            val="326f401219901270374b71e2faff63df3a29a99fd26f469993b9f476b693daf2",
        ),
        "carbon-24": _cdvae(
            "carbon_24",
            "10,153 carbon crystals with energies",
            val="36c00689cd63073c954a58bc6ed6e2adb7aeed5a630c994970959a1babffd50e",
        ),
        "mp-20": _cdvae("mp_20", "45,231 crystals of at most 20 atoms, with formation energies"),
        "oer-3496": _oer(
            3496, "2,121", "3c70049ccfdd11bc05d1777421fc4c724d2b2d4a86c12b8759079609912cfade"
        ),
        "oer-3851": _oer(
            3851, "2,119", "e2212be9cc5c866fa98dcb9513fca63946003f317688cb025bd0d648d8c3caab"
        ),
        "binary-elasticity": DataSet(
            "yardsticks/matcalc",
            {
                "mp-binary-pbe-elasticity-2025.1.json.gz": RemoteFile(
                    f"{_MATCALC}/mp-binary-pbe-elasticity-2025.1.json.gz",
                    "5689599491322805bda913663eeef8d567f64ada80c90173d50fb7b6fb0b5896",
                )
            },
            "3,953 binary crystals with bulk and shear moduli by PBE",
            "Materials Project, as in MatCalc; github.com/materialsvirtuallab/matcalc",
        ),
    }
)
"""Data sets that ``alloop data fetch`` knows, by name."""


def data_folder() -> Path:
    """Return the folder of the data sets: ``ALLOOP_DATA``, or the user's cache."""
    if folder := os.environ.get(VARIABLE):
        return Path(folder).absolute()
    import pooch  # noqa: PLC0415 (specs are read without it)

    return Path(pooch.os_cache("alloop"))


def find_file(name: str) -> Path:
    """Return the main file of a data set that is at hand.

    Raises:
        DataError: if the name is unknown, or the file is not there.
    """
    path = data_folder() / known(name).table
    if not path.is_file():
        raise DataError(
            f"the data set {name} is not at hand",
            where=str(path),
            remedy=f"`alloop data fetch {name}` gets it, or {VARIABLE} names a folder that has it.",
        )
    return path


def known(name: str) -> DataSet:
    """Return a data set's description.

    Raises:
        DataError: if there is none of this name.
    """
    if name not in DATA_SETS:
        raise DataError(
            f"there is no data set {name!r}", remedy=f"There are {', '.join(DATA_SETS)}."
        )
    return DATA_SETS[name]
