"""Errors a user meets. Each says what was wrong, where, and what to do."""


class AlloopError(Exception):
    """Root of every error that Alloop raises on purpose; the CLI prints it in one line."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        """Description of the error, with the value."""
        self.where = where
        """File and key path, run directory or candidate id; empty where there is none."""
        self.remedy = remedy
        """Remedy: what the user can do about it."""
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}. {remedy}" if remedy else message)


class SpecError(AlloopError):
    """A campaign's YAML says something impossible or unknown."""


class SettingsError(AlloopError):
    """Settings of the user's that cannot be used, or a profile that they lack."""


class MaterialError(AlloopError):
    """A structure or composition that cannot be read, or that a model cannot represent."""


class DataError(AlloopError):
    """A data set that is not at hand, or a table with a row or column that cannot be used."""


class PotentialError(AlloopError):
    """An interatomic potential that is unknown, changed, or does not cover an element."""


class RunError(AlloopError):
    """A run directory that cannot be opened, is busy, or belongs to something else."""


class LedgerError(AlloopError):
    """A ledger whose record does not hold together."""


class ModelError(AlloopError):
    """A model or checkpoint that cannot be used as asked."""


class MissingSoftware(AlloopError):
    """A program or package that this step needs is not installed."""


class PluginError(AlloopError):
    """A kind of oracle or model that is not installed, stands twice, or cannot be used."""


def one_line(error: BaseException) -> str:
    """Return an exception's type and message in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
