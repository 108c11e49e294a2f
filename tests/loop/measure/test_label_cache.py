"""Labels are reused by campaigns that ask the same oracle the same; and only by those."""

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pymatgen.core import Composition

from alloop.canonical import canonical_json
from alloop.errors import SpecError
from alloop.loop import controller
from alloop.loop.commands.printing.status_table import reused_line
from alloop.loop.measure.label_cache import LabelCache, label_cache
from alloop.loop.python.decision_rows import flat
from alloop.loop.record.events import Measured
from alloop.loop.record.verification import digest, verify
from alloop.loop.report.tables import cost_table
from alloop.loop.state.trials import all_trials
from alloop.materials import material_id
from alloop.oracles.base import INFEASIBLE, Cost, FailureKind, Measurement, Status
from tests.loop.flaky import calls_of
from tests.loop.small_campaign import Mortal, ThreadPool, entries_of, run_campaign, spec_of

NI = Composition("Ni")
OK = Measurement(
    Status.OK, {"density": 8.9}, NI, None, "scales", "f" * 64, Cost(1, 3.0, 0.5, money=7.0)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labels"


@pytest.fixture
def cache(folder: Path) -> LabelCache:
    return LabelCache(folder)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)


def failed(kind: FailureKind) -> Measurement:
    return Measurement.failed(kind, "no", oracle="scales", fingerprint="f" * 64, cost=Cost(1))


def test_a_label_comes_back_with_what_it_had_cost(cache: LabelCache) -> None:
    cache.put(material_id(NI), "f" * 64, OK, run="/runs/a")
    label = cache.get(material_id(NI), "f" * 64)
    assert label is not None
    assert label.measurement == replace(OK, cost=Cost())
    assert (label.cost, label.run) == (OK.cost, "/runs/a")


def test_another_material_or_fingerprint_is_a_miss(cache: LabelCache) -> None:
    cache.put(material_id(NI), "f" * 64, OK, run="a")
    assert cache.get(material_id(NI), "e" * 64) is None
    assert cache.get(material_id(Composition("Fe")), "f" * 64) is None


@pytest.mark.parametrize("kind", list(FailureKind))
def test_only_what_would_come_out_the_same_is_kept(cache: LabelCache, kind: FailureKind) -> None:
    cache.put("a", "f" * 64, failed(kind), run="a")
    assert (cache.get("a", "f" * 64) is not None) == (kind in INFEASIBLE)


def as_edited(content: bytes) -> bytes:
    return content.replace(b"8.9", b"9.9")


def as_another_s(content: bytes) -> bytes:
    return content.replace(b'"asked":"', b'"asked":"0')


@pytest.mark.parametrize(
    "damage",
    [
        as_edited,
        as_another_s,
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"[" * 100_000,
        lambda content: b"\x80\x04K\x01.",  # a pickle
        lambda content: b"null",
        lambda content: b'{"seal": 1}',
    ],
)
def test_a_damaged_label_is_a_miss_and_said_so(
    cache: LabelCache, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    cache.put("a", "f" * 64, OK, run="a")
    path = cache.path("a", "f" * 64)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert cache.get("a", "f" * 64) is None
    assert str(path) in caplog.text
    assert "damaged" in caplog.text
    cache.put("a", "f" * 64, OK, run="a")
    assert cache.get("a", "f" * 64) is not None


def test_a_label_of_somebody_with_another_key_is_a_miss(
    cache: LabelCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put("a", "f" * 64, OK, run="a")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another's"))
    assert cache.get("a", "f" * 64) is None


def test_a_measurement_by_another_oracle_does_not_enter(cache: LabelCache) -> None:
    cache.put("a", "e" * 64, OK, run="a")
    assert not cache.path("a", "e" * 64).exists()


def test_a_negative_cost_does_not_enter(cache: LabelCache) -> None:
    cache.put("a", "f" * 64, replace(OK, cost=Cost(1, money=-7.0)), run="a")
    assert not cache.path("a", "f" * 64).exists()


@pytest.mark.parametrize("whose", ["everybody's", "another's"])
def test_a_folder_that_others_own_or_write_to_is_not_used(
    folder: Path, whose: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    LabelCache(folder).put("a", "f" * 64, OK, run="a")
    if whose == "everybody's":
        folder.chmod(0o777)
    else:
        uid = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    cache = LabelCache(folder)
    assert cache.get("a", "f" * 64) is None
    cache.put("b", "f" * 64, OK, run="a")
    assert not cache.path("b", "f" * 64).exists()
    assert "not used" in caplog.text


def test_a_link_in_place_of_a_label_is_a_miss(cache: LabelCache, tmp_path: Path) -> None:
    cache.put("a", "f" * 64, OK, run="a")
    path = cache.path("a", "f" * 64)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get("a", "f" * 64) is None


def test_another_s_label_under_the_name_of_this_one_is_a_miss(cache: LabelCache) -> None:
    cache.put("a", "f" * 64, OK, run="a")
    stolen = cache.path("b", "f" * 64)
    stolen.parent.mkdir(exist_ok=True)
    stolen.write_bytes(cache.path("a", "f" * 64).read_bytes())
    assert cache.get("b", "f" * 64) is None


def test_a_folder_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = LabelCache(tmp_path / "file" / "labels")
    for asked in "abc":
        cache.put(asked, "f" * 64, OK, run="a")
        assert cache.get(asked, "f" * 64) is None
    assert caplog.text.count("no labels are kept") == 1


def test_many_writers_of_one_label_leave_a_whole_one(cache: LabelCache) -> None:
    def write(run: str) -> None:
        for _ in range(20):
            cache.put("a", "f" * 64, OK, run=run)

    writers = [threading.Thread(target=write, args=(str(i) * 1000,)) for i in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert not cache.path("a", "f" * 64).exists() or cache.get("a", "f" * 64) is not None
    assert cache.get("a", "f" * 64) is not None
    assert len(list(cache.folder.rglob("*"))) == 2  # a folder and a file: nothing is left over


def test_where_labels_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folder_of(option: bool | Path) -> Path | None:
        cache = label_cache(option)
        return None if cache is None else cache.folder

    assert folder_of(True) is None  # switched off for the tests
    assert folder_of(tmp_path) == tmp_path
    monkeypatch.setenv("ALLOOP_CACHE", str(tmp_path / "mine"))
    assert folder_of(True) == tmp_path / "mine"
    assert folder_of(False) is None
    monkeypatch.delenv("ALLOOP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_of(True) == tmp_path / "alloop" / "labels"


@pytest.mark.parametrize("value", ["", " ", 5, None, ["labels"]])
def test_what_is_no_folder_is_refused(value: object) -> None:
    with pytest.raises(SpecError, match=r"cache: .* is no folder; write true, false or"):
        spec_of(cache=value)


def test_a_campaign_decides_the_same_with_labels_of_another(
    threads: None, run: Path, tmp_path: Path, folder: Path
) -> None:
    calls = tmp_path / "calls"
    oracle = Mortal(calls, every=3, kind=FailureKind.UNPHYSICAL)
    first = run_campaign(run, spec_of(cache=str(folder)), oracle)
    assert len(calls_of(calls)) == 6

    again = run.with_name("again")
    spec = spec_of(cache=str(folder), attempts=7, timeout=3.0, execution={"workers": 1})
    state = run_campaign(again, spec, oracle)
    assert len(calls_of(calls)) == 6, "nothing is measured twice"
    assert digest(entries_of(again)) == digest(entries_of(run))
    assert not (again / "spool").exists(), "no workers were started"
    assert verify(again).ok

    assert state.cost(0) == Cost()
    for m in state.recorded.values():
        assert m.reuse is not None
        assert m.reuse.run == str(run)
        assert m.worth == first.recorded[m.evaluation].cost
    rows = [flat(trial, state) for trial in all_trials(state)]
    assert {row["reused_from"] for row in rows if row["chosen"]} == {str(run)}
    table = cost_table(state)
    assert table.heads[-1] == "reused"
    assert table.rows[0][-1].startswith("6 (")
    assert reused_line(state, 0) == "6 of them by other campaigns, "
    assert "reused" not in cost_table(first).heads

    plain = run.with_name("plain")
    run_campaign(plain, spec_of(cache=False), oracle)
    assert len(calls_of(calls)) == 12
    assert digest(entries_of(plain)) == digest(entries_of(run))


def test_another_fingerprint_measures_anew(
    threads: None, run: Path, tmp_path: Path, folder: Path
) -> None:
    calls, spec = tmp_path / "calls", spec_of(cache=str(folder))
    run_campaign(run, spec, Mortal(calls))
    state = run_campaign(run.with_name("again"), spec, Mortal(calls, version="2"))
    assert len(calls_of(calls)) == 12
    assert all(m.reuse is None for m in state.recorded.values())


def test_what_the_machine_failed_is_measured_by_the_next_campaign(
    threads: None, run: Path, tmp_path: Path, folder: Path
) -> None:
    calls, spec = tmp_path / "calls", spec_of(cache=str(folder), attempts=1)
    state = run_campaign(run, spec, Mortal(calls, every=1, deaths=1))
    assert not state.answers()
    state = run_campaign(run.with_name("again"), spec, Mortal(calls, every=1, deaths=1))
    assert len(state.answers()) == 6


def test_an_event_without_reuse_is_read_as_before() -> None:
    event = json.loads(
        canonical_json(
            {
                "kind": "measured",
                "evaluation": "e",
                "candidate": "a" * 64,
                "round": 0,
                "stage": "initial",
                "tier": 0,
                "status": "ok",
                "properties": {"bulk_modulus": 1.0},
                "oracle": "o",
                "fingerprint": "f",
            }
        )
    )
    assert Measured.model_validate(event).reuse is None
