"""Whose a run is: begun by this user, trusted by this user, or received from somebody else.

Continuing a run starts engines, loads its checkpoints and hands its structures to simulators. For
a run of one's own that is what is wanted; for one from elsewhere the user is told what would run,
and says so once. A run is recognised by seals in its ledger under the user's key, which lies
outside every run, so that it may be moved or copied with its files.
"""

from collections.abc import Callable, Iterable
from hmac import compare_digest

from alloop.campaigns.spec import CampaignSpec
from alloop.canonical import canonical_json
from alloop.errors import AlloopError, RunError
from alloop.kinds import MODELS, ORACLES, find_kind
from alloop.loop.record.events import CampaignOpened, LedgerEntry, ModelFitted, SessionOpened
from alloop.user_key import seal, verify_seal

_BEGUN, _TRUSTED = "run begun", "run trusted"
"""Purposes of the two seals."""


TELLING = (CampaignOpened, SessionOpened, ModelFitted)
"""Events that say whose a run is, and what continuing it would load."""


def sealed_opening(opened: CampaignOpened) -> CampaignOpened:
    """Return a first event with this user's seal on it.

    Raises:
        RunError: if the user's key cannot be made or read.
    """
    return opened.model_copy(update={"seal": seal(_BEGUN, _content(opened))})


def trust_seal(entries: Iterable[LedgerEntry]) -> str:
    """Return what a session's event says once its user trusts a run that somebody else began.

    Raises:
        RunError: if the user's key cannot be made or read.
    """
    return seal(_TRUSTED, _first_hash(entries))


def is_own(entries: Iterable[LedgerEntry]) -> bool:
    """Return whether this user began a run, or has said before that it is to be trusted.

    Args:
        entries: of the run, at least those of ``TELLING`` events; the first is the ledger's first.

    Raises:
        RunError: if the user's key cannot be made or read.
    """
    entries = tuple(entries)
    first = entries[0].event
    if any(isinstance(entry.event, CampaignOpened) for entry in entries[1:]):
        return False  # a second beginning was put behind one that may be this user's
    if isinstance(first, CampaignOpened) and verify_seal(first.seal, _BEGUN, _content(first)):
        return True
    expected = trust_seal(entries)
    seals = (entry.event.seal for entry in entries if isinstance(entry.event, SessionOpened))
    return any(compare_digest(each.encode(), expected.encode()) for each in seals)


def what_would_run(spec: CampaignSpec, entries: Iterable[LedgerEntry]) -> tuple[str, ...]:
    """Return in words everything that continuing a run would start or load."""
    tiers = [
        f"tier {place}: {_kind(ORACLES, tier.kind)}, {_said(tier.describe_run)}"
        for place, tier in enumerate(spec.tiers)
    ]
    checkpoints = {e.event.checkpoint for e in entries if isinstance(e.event, ModelFitted)}
    n = len(checkpoints)
    loaded = f", with {n} checkpoint{'s' if n != 1 else ''} of the run" if n else ""
    model = f"the model: {_kind(MODELS, spec.model.kind)}{loaded}"
    return *tiers, model, _said(spec.execution.describe_run)


def require_trust(spec: CampaignSpec, entries: Iterable[LedgerEntry], where: str) -> None:
    """Refuse to continue a run of somebody else, saying what it would run.

    Raises:
        RunError: if the run is not this user's own.
    """
    entries = tuple(entries)
    if is_own(entries):
        return
    raise RunError(
        "you did not begin this run (or your key was another then); to continue it would run "
        + "; ".join(what_would_run(spec, entries)),
        where=where,
        remedy="Look at it with `alloop verify`, `audit` and `report`, which run nothing of this; "
        "if you trust it, give the same command with --trust, once.",
    )


def _said(describe: Callable[[], str]) -> str:
    try:
        return describe()
    except AlloopError as error:  # what cannot run here is said as well
        return f"which cannot run here ({error.what})"


def _kind(group: str, name: str) -> str:
    kind = find_kind(group, name)
    return f"{kind.name} of the package {kind.package} {kind.version}"


def _content(opened: CampaignOpened) -> bytes:
    return canonical_json(opened.model_dump(mode="json", exclude={"seal"})).encode()


def _first_hash(entries: Iterable[LedgerEntry]) -> bytes:
    return next(iter(entries)).hash.encode()
