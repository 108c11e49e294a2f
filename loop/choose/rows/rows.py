"""The rows of the first tier's table: what is drawn from it, and what is known again in it."""

from collections.abc import Callable
from functools import lru_cache

from pydantic import TypeAdapter

from alloop.campaigns.parts import TierPart, build_oracle
from alloop.canonical import canonical_json
from alloop.errors import RunError
from alloop.loop.choose.moves.structures import Shares, shares_of
from alloop.loop.state.campaign_state import CampaignState
from alloop.materials import Material, composition_of
from alloop.oracles.base import Oracle, RecognisingOracle
from alloop.oracles.options import ListsMaterials

Recognise = Callable[[Material], str | None]
"""Function that gives the key of the row that a material is, or None."""


def table_rows(state: CampaignState) -> tuple[Material, ...]:
    """Return the materials of the first tier's table, in the file's order.

    Raises:
        RunError: if the table is not the one that the campaign began with.
    """
    return _read(_told(state), state.fingerprints[0])[1]


def recogniser_of(state: CampaignState) -> Recognise | None:
    """Return what knows candidates again in the first tier's table; None where a candidate need not
    be a row, or is one as it stands.

    Raises:
        RunError: if the table is not the one that the campaign began with.
    """
    if not state.spec.recognises_rows:
        return None
    oracle, _ = _read(_told(state), state.fingerprints[0])
    assert isinstance(oracle, RecognisingOracle)  # its options said so
    return oracle.recognise


def compositions_of_rows(state: CampaignState) -> frozenset[Shares] | None:
    """Return the compositions that a candidate may have; None where any will do.

    Raises:
        RunError: if the table is not the one that the campaign began with.
    """
    if not state.spec.recognises_rows:
        return None
    return _compositions(_told(state), state.fingerprints[0])


@lru_cache(maxsize=2)
def _compositions(told: str, fingerprint: str) -> frozenset[Shares]:
    return frozenset(shares_of(composition_of(row)) for row in _read(told, fingerprint)[1])


def _told(state: CampaignState) -> str:
    return canonical_json(state.spec.tiers[0].model_dump(mode="json"))


@lru_cache(maxsize=2)
def _read(told: str, fingerprint: str) -> tuple[Oracle, tuple[Material, ...]]:
    options = TypeAdapter(TierPart).validate_json(told)
    assert isinstance(options, ListsMaterials)  # the spec sees to it
    oracle = build_oracle(options, ())
    if oracle.fingerprint() != fingerprint:
        raise RunError(
            f"the {oracle.name} has changed since the campaign began",
            remedy="Restore the file, or start a new run.",
        )
    if isinstance(oracle, RecognisingOracle):  # which need not read its source again
        return oracle, oracle.materials()
    return oracle, options.list_materials()
