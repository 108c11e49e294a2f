"""What lies in the spool is believed only where a worker of this run sealed it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alloop.canonical import canonical_json
from alloop.errors import RunError
from alloop.loop import controller
from alloop.loop.measure.spool import MOST_BYTES, Spool, attempt_of
from alloop.loop.record.events import Measured
from alloop.loop.record.ledger import Ledger
from alloop.loop.run_folder import RunFolder
from alloop.oracles.base import Cost, Measurement, Status, exchange_fingerprint
from tests.loop.flaky import calls_of
from tests.loop.small_campaign import Mortal, PowerCut, ThreadPool, Watcher, run_campaign, spec_of
from tests.loop.spooled import spool_in

FORGED = 12_345.0


def content_of(value: float = 150.0, fingerprint: str = "f", **cost: float) -> bytes:
    measurement = Measurement(
        Status.OK, {"bulk_modulus": value}, None, None, "o", fingerprint, Cost(**(cost or {}))
    )
    return canonical_json(measurement.to_json()).encode()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = spool_in(tmp_path / "spool")
    spool.make()
    return spool


def test_what_was_sealed_is_read(spool: Spool) -> None:
    spool.write("e1", "f", content_of())
    measurement = spool.load("e1", "f")
    assert measurement is not None
    assert measurement.properties == {"bulk_modulus": 150.0}
    spool.write("e2", "f", content_of(fingerprint=exchange_fingerprint("f")))
    assert spool.load("e2", "f") is not None


def as_another_value(content: bytes) -> bytes:
    return content.replace(b"150.0", b"950.0")


def as_unsealed(content: bytes) -> bytes:
    return content.split(b"\n", 1)[1]


def as_sealed_with_zeros(content: bytes) -> bytes:
    return b'{"seal":"' + b"0" * 64 + b'"}\n' + as_unsealed(content)


def as_longer(content: bytes) -> bytes:
    return content + b" "


@pytest.mark.parametrize(
    "forge",
    [
        as_another_value,
        as_unsealed,
        as_sealed_with_zeros,
        as_longer,
        lambda content: b"",
        lambda content: b"[" * 1_000_000,
        lambda content: b'{"seal":"' + b"0" * 64 + b'"}\n' + b'{"a":' * 1_000_000,
    ],
)
def test_what_was_not_sealed_is_not_believed(
    spool: Spool, forge: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    spool.write("e1", "f", content_of())
    spool.path("e1").write_bytes(forge(spool.path("e1").read_bytes()))
    assert spool.load("e1", "f") is None
    assert "no worker of this run sealed it" in caplog.text


def test_a_seal_holds_for_one_evaluation_one_fingerprint_and_one_run(
    spool: Spool, tmp_path: Path
) -> None:
    spool.write("e1", "f", content_of())
    spool.path("e2").write_bytes(spool.path("e1").read_bytes())
    assert spool.load("e2", "f") is None
    assert spool.load("e1", "g") is None
    assert Spool(spool.folder, b"other" * 8).load("e1", "f") is None
    first, second = (Spool.of_run(tmp_path, origin) for origin in ("a" * 64, "b" * 64))
    assert first.key != second.key
    assert Spool.of_run(tmp_path, "a" * 64) == first


@pytest.mark.parametrize("cost", [{"core_hours": -1.0}, {"money": -0.5}, {"calls": -1}])
def test_a_negative_cost_is_no_measurement_even_sealed(
    spool: Spool, cost: dict[str, float]
) -> None:
    spool.write("e1", "f", content_of(**cost))
    assert spool.load("e1", "f") is None


def test_another_oracle_s_answer_is_not_taken_for_this_one_s(spool: Spool) -> None:
    spool.write("e1", "f", content_of(fingerprint="g"))
    assert spool.load("e1", "f") is None


def test_what_is_no_file_of_ours_is_reported_and_never_followed(
    spool: Spool, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    spool.path("link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(spool.path("pipe"))
    with spool.path("endless").open("wb") as file:
        file.truncate(MOST_BYTES + 1000)
    for evaluation, why in (("link", "a link"), ("pipe", "no file"), ("endless", "more than")):
        with pytest.raises(RunError, match=f"cannot be read .it .*{why}"):
            spool.load(evaluation, "f")


def test_a_spool_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    spool = spool_in(tmp_path / "spool")
    with pytest.raises(RunError, match="the spool is a link"):
        spool.make()
    with pytest.raises(RunError, match="the spool is a link"):
        list(spool.evaluations())


def test_the_key_is_shown_nowhere(spool: Spool) -> None:
    assert str(spool.key) not in repr(spool)
    assert spool.key.hex() not in repr(spool)


@pytest.mark.parametrize("name", ["e-1-2", "e-²", "e-99999999999999999999", "e-"])
def test_a_name_that_looks_like_an_attempt_is_taken_for_one_or_not(name: str) -> None:
    assert attempt_of(name) == ("e", 1)


def interrupted(run: Path, oracle: Mortal) -> list[str]:
    """Begin a campaign, cut its power once something is proposed, and return what it waits for."""
    with pytest.raises(PowerCut):
        run_campaign(run, spec_of(), oracle, Watcher("proposed"))
    return [evaluation.id for evaluation in RunFolder.read(run).state.pending]


def test_a_forged_result_is_measured_and_strays_are_left_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    oracle = Mortal(tmp_path / "calls", every=10**9)
    first, second, *_ = interrupted(run, oracle)
    forged = content_of(FORGED, oracle.fingerprint())
    (run / "spool").mkdir()
    (run / "spool" / f"{first}.json").write_bytes(forged)
    Spool(run / "spool", bytes(32)).write(second, oracle.fingerprint(), forged)
    strays = ["notes.json", "a b.json", f"{'0' * 32}.json", "README"]
    for name in strays:
        (run / "spool" / name).write_text("not a measurement")
    (run / "spool" / "folder.json").mkdir()

    state = run_campaign(run, None, oracle)
    assert len(calls_of(tmp_path / "calls")) == 6, "all were measured"
    values = [m.properties["bulk_modulus"] for m in state.recorded.values()]
    assert max(values) < 200
    assert {path.name for path in (run / "spool").iterdir()} == {*strays, "folder.json"}


def test_what_a_worker_finished_after_its_controller_died_is_taken_in(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "MeasuringPool", ThreadPool)
    oracle = Mortal(tmp_path / "calls", every=10**9)
    first, *_ = interrupted(run, oracle)
    with Ledger.open(run, writable=False) as ledger:
        spool = Spool.of_run(run, ledger.origin())
    spool.make()
    spool.write(first, oracle.fingerprint(), content_of(150.5, oracle.fingerprint()))
    watcher = Watcher()
    run_campaign(run, None, oracle, watcher)
    assert len(calls_of(tmp_path / "calls")) == 5
    taken = [e for e in watcher.events if isinstance(e, Measured) and e.evaluation == first]
    assert [m.properties for m in taken] == [{"bulk_modulus": 150.5}]
