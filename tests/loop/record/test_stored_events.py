"""A proposal read from a ledger is the one that was written, decoded when it is looked at."""

from collections.abc import Callable

import pytest

from alloop.canonical import canonical_json
from alloop.errors import LedgerError
from alloop.loop.record.events import EVENT, Event, Posterior, Proposed
from alloop.loop.record.stored_events import (
    StoredDecisions,
    may_name,
    outline_of,
    posteriors_of,
    read_event,
)

MakeEvents = Callable[..., list[Event]]


def text_of(event: Event) -> str:
    return canonical_json(EVENT.dump_python(event, mode="json"))


def test_every_event_is_read_as_the_union_of_all_reads_it(make_events: MakeEvents) -> None:
    for event in make_events():
        read = read_event(text_of(event))
        assert read == EVENT.validate_json(text_of(event)) == event
        assert text_of(read) == text_of(event)


def test_decisions_are_outlined_without_being_decoded(make_events: MakeEvents) -> None:
    (written,) = (event for event in make_events() if isinstance(event, Proposed))
    read = read_event(text_of(written))
    assert isinstance(read, Proposed)
    stored: object = read.decisions
    assert isinstance(stored, StoredDecisions)
    assert list(outline_of(read)) == list(outline_of(written))
    assert len(stored) == len(written.decisions)
    assert may_name(read, written.decisions[0].candidate)
    assert not may_name(read, "0" * 64)
    assert stored._decoded is None
    assert stored[0] == written.decisions[0]
    assert stored[-1:] == written.decisions[-1:]
    assert stored == written.decisions


def test_posteriors_are_read_alone_as_the_whole_decision_has_them(make_events: MakeEvents) -> None:
    (written,) = (event for event in make_events() if isinstance(event, Proposed))
    posterior = {"bulk_modulus": Posterior(mean=180.5, std=3.25), 'a"}b': Posterior(mean=0, std=1)}
    predicted = written.decisions[0].model_copy(update={"posterior": posterior})
    unpredicted = [d.model_copy(update={"posterior": {}}) for d in written.decisions[1:]]
    for decisions in ((predicted, *unpredicted), tuple(unpredicted)):
        read = read_event(text_of(written.model_copy(update={"decisions": decisions})))
        assert isinstance(read, Proposed)
        stored: object = read.decisions
        assert isinstance(stored, StoredDecisions)
        found = posteriors_of(read)
        assert stored._decoded is None
        assert [dict(each) for each in found] == (
            [{name: p.model_dump() for name, p in d.posterior.items()} for d in decisions]
            if decisions[0].posterior
            else []
        )
        _ = stored[0]
        assert [each for each in posteriors_of(read) if each] == [each for each in found if each]


def test_a_posterior_that_is_none_is_refused_in_a_sentence(make_events: MakeEvents) -> None:
    (written,) = (event for event in make_events() if isinstance(event, Proposed))
    posterior = {"bulk_modulus": Posterior(mean=180.5, std=3.25)}
    decision = written.decisions[0].model_copy(update={"posterior": posterior})
    text = text_of(written.model_copy(update={"decisions": (decision,)}))
    read = read_event(text.replace("180.5", '"much"'))
    assert isinstance(read, Proposed)
    with pytest.raises(LedgerError, match="decisions that are none"):
        posteriors_of(read)


def test_decisions_that_are_none_are_refused_in_a_sentence(make_events: MakeEvents) -> None:
    (written,) = (event for event in make_events() if isinstance(event, Proposed))
    read = read_event(text_of(written).replace('"reason":', '"because":'))
    assert isinstance(read, Proposed)
    with pytest.raises(LedgerError, match="decisions that are none"):
        list(read.decisions)


@pytest.mark.parametrize("text", ['{"decisions":[', '{"decisions":[],"kind":"measured"}', "[]", ""])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_event(text)
