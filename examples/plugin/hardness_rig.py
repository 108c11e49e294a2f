"""An oracle of one's own: Vickers hardness of solid solutions by a rule of mixtures."""

from collections.abc import Mapping, Sequence
from typing import Literal

from alloop.materials import Material, composition_of
from alloop.oracles import FailureKind, Measurement, Oracle, OracleOptions, fingerprint_of

VICKERS = {"Al": 167.0, "Cu": 369.0, "Fe": 608.0, "Ni": 638.0}  # MPa, pure elements


class HardnessRigOptions(OracleOptions):
    kind: Literal["hardness-rig"] = "hardness-rig"
    strengthening: float = 2000.0  # MPa per product of two fractions

    def measures(self) -> Mapping[str, str]:
        return {"vickers_hardness": "MPa"}

    def build(self, elements: Sequence[str]) -> Oracle:
        return HardnessRig(self.strengthening)


class HardnessRig:
    name = "hardness rig"

    def __init__(self, strengthening: float) -> None:
        self.strengthening = strengthening

    def fingerprint(self) -> str:
        return fingerprint_of(rule="mixtures", strengthening=self.strengthening)

    def measure(self, material: Material) -> Measurement:
        names = {"oracle": self.name, "fingerprint": self.fingerprint()}
        x = composition_of(material).fractional_composition.get_el_amt_dict()
        if stray := x.keys() - VICKERS.keys():
            return Measurement.failed(FailureKind.UNSUPPORTED, f"no {min(stray)}", **names)
        unlike = (1 - sum(v * v for v in x.values())) / 2  # sum of products of two fractions
        hardness = sum(x[e] * VICKERS[e] for e in x) + self.strengthening * unlike
        return Measurement.succeeded({"vickers_hardness": hardness}, **names)
