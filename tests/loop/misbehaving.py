"""Oracles for tests. They live in a module because worker processes import their classes."""

import ctypes
import math
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymatgen.core import Composition

from alloop.canonical import canonical_json
from alloop.materials import Material, composition_of, material_to_json
from alloop.oracles.base import Cost, Measurement, Status


def alloy(iron: float) -> str:
    """Canonical JSON of an Fe-Ni composition."""
    return canonical_json(material_to_json(Composition({"Fe": iron, "Ni": 1 - iron})))


def iron_share(material: Material) -> float:
    return float(composition_of(material).get_atomic_fraction("Fe"))


@dataclass(frozen=True)
class Honest:
    """Answers with the share of iron; notes every call in a file."""

    calls: Path
    seconds: float = 0.0
    name: str = "honest"

    def fingerprint(self) -> str:
        return "honest-1"

    def measure(self, material: Material) -> Measurement:
        with self.calls.open("a") as file:
            file.write(f"{iron_share(material):.4f}\n")
        time.sleep(self.seconds)
        return self.answer(material)

    def answer(self, material: Material) -> Measurement:
        cost = Cost(calls=1, wall_seconds=self.seconds)
        values = {"bulk_modulus": 100.0 * iron_share(material)}
        return Measurement(Status.OK, values, material, None, self.name, self.fingerprint(), cost)


@dataclass(frozen=True)
class Misbehaving(Honest):
    """Honest, but for materials with more than half iron."""

    how: str = "raises"

    def measure(self, material: Material) -> Any:
        if iron_share(material) > 0.5:
            return getattr(self, self.how)(material)
        return super().measure(material)

    def raises(self, material: Material) -> None:
        raise RuntimeError("lost the \udcff plot")

    def leaves_politely(self, material: Material) -> None:
        sys.exit("enough")

    def hangs(self, material: Material) -> None:
        time.sleep(3600)

    def hangs_with_a_child(self, material: Material) -> None:
        pid = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "3600")
        self.calls.with_suffix(".child").write_text(str(pid))
        time.sleep(3600)

    def hangs_without_letting_go(self, material: Material) -> None:
        ctypes.PyDLL(None).sleep(3600)  # keeps the GIL

    def returns_nan(self, material: Material) -> Measurement:
        values = {"bulk_modulus": math.nan}
        return Measurement(Status.OK, values, None, None, self.name, self.fingerprint(), Cost())

    def returns_an_infinite_cost(self, material: Material) -> Measurement:
        cost = Cost(calls=1, money=math.inf)
        return Measurement(Status.OK, {}, None, None, self.name, self.fingerprint(), cost)

    def returns_nothing(self, material: Material) -> None:
        return None

    def exits(self, material: Material) -> None:
        print("ERROR: lost atoms", file=sys.stderr, flush=True)
        os._exit(3)

    def kills_itself(self, material: Material) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def crashes(self, material: Material) -> None:
        ctypes.string_at(0)


class Unpacked:
    """Pickles, but cannot be rebuilt where it is needed."""

    name = "unpacked"

    def fingerprint(self) -> str:
        return "unpacked-1"

    def measure(self, material: Material) -> Measurement:
        raise NotImplementedError

    def __setstate__(self, state: object) -> None:
        raise ModuleNotFoundError("No module named 'simulator'")

    def __getstate__(self) -> object:
        return {"anything": 1}
