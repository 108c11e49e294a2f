"""A score of one's own beside DFT: whether a formula's oxidation states can add up to nothing.

A weak proxy of synthesizability, of which a real model would take the place: only 37 % of known
inorganic materials pass it (E. R. Antoniuk et al., npj Comput. Mater. 9 (2023) 155).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from alloop.materials import Material, composition_of
from alloop.oracles import Measurement, Oracle, OracleOptions, fingerprint_of


class ChargeBalanceOptions(OracleOptions):
    kind: Literal["charge-balance"] = "charge-balance"

    def measures(self) -> Mapping[str, str]:
        return {"synthesizability": "–"}

    def starts_programs(self) -> bool:
        return False

    def build(self, elements: Sequence[str]) -> Oracle:
        return ChargeBalance()


class ChargeBalance:
    name = "charge balance"

    def fingerprint(self) -> str:
        return fingerprint_of(rule="pymatgen's oxidation states")

    def measure(self, material: Material) -> Measurement:
        formula, _ = composition_of(material).get_integer_formula_and_factor()
        balanced = bool(type(composition_of(material))(formula).oxi_state_guesses())
        return Measurement.succeeded(
            {"synthesizability": float(balanced)}, oracle=self.name, fingerprint=self.fingerprint()
        )
