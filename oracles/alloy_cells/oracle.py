"""An oracle of compositions: each becomes cells on a lattice, measured as crystals are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pymatgen.core import Composition, Structure

from alloop.errors import MaterialError
from alloop.lattices import SPACE_GROUPS
from alloop.materials import Material, formula_of, material_to_json
from alloop.oracles.alloy_cells.cells import AlloyCell, alloy_cell, rounding
from alloop.oracles.alloy_cells.options import CellOptions
from alloop.oracles.base import Cost, FailureKind, Measurement, Oracle, Status, fingerprint_of
from alloop.oracles.crystal_frame import parent_frame
from alloop.oracles.self_test import CanSelfTest
from alloop.properties import PARENT_LATTICE_KEPT

PROCEDURE = 1
"""Version of the making of cells, raised when a change of it changes them; part of the
fingerprint."""


class AlloyOracle:
    """Oracle of random alloys: a composition is measured in cells that stand for it.

    Fractions are rounded to sites. Properties are the means over the cells; with several cells a
    remark gives the standard error of each, and with one the relaxed cell is the measurement's
    material. The document holds every cell: its formula, the seed of its ordering, how far its
    clusters are from the random alloy's, its own properties, and the cell as it relaxed. Of fcc
    and bcc, ``parent_lattice_kept`` is the share of cells whose relaxed sites still form the
    lattice.

    A failure of one cell is one of the alloy.

    Args:
        crystals: measures one cell.
        options: of the cells.
    """

    def __init__(self, crystals: Oracle, options: CellOptions) -> None:
        self._crystals = crystals
        self.options = options
        self.name = f"{crystals.name} {options.lattice} {options.kind}"

    def fingerprint(self) -> str:
        """Return the hash of the crystals' oracle and of everything that decides on the cells."""
        return fingerprint_of(
            oracle=self._crystals.fingerprint(),
            cells=self.options.model_dump(mode="json"),
            procedure=PROCEDURE,
        )

    def measure(self, material: Material) -> Measurement:
        """Measure a composition; anything else gives a failure."""
        if not isinstance(material, Composition):
            return self._failed(
                "it is a crystal, and cells are made of compositions; leave cells out of the tier"
            )
        try:
            cells = [
                alloy_cell(material, self.options, place) for place in range(self.options.count)
            ]
        except MaterialError as error:
            return self._failed(error.what)
        found: list[Measurement] = []
        for place, cell in enumerate(cells):
            found.append(self._crystals.measure(cell.structure))
            if (failure := found[-1].failure) is not None:
                which = f"cell {place + 1} of {len(cells)}, {formula_of(cell.structure)}"
                return replace(
                    self._named(found[-1]),
                    failure=replace(failure, message=f"{which}: {failure.message}"),
                    cost=_total(found),
                    document=_document(cells[: len(found)], found),
                )
        return self._together(material, cells, found)

    def self_test(self) -> Measurement:
        """See ``CanSelfTest``: that of the crystals' oracle."""
        assert isinstance(self._crystals, CanSelfTest)
        return self._named(self._crystals.self_test())

    def _together(
        self, alloy: Composition, cells: Sequence[AlloyCell], found: Sequence[Measurement]
    ) -> Measurement:
        names = [name for name in found[0].properties if all(name in m.properties for m in found)]
        values = {name: np.array([m.properties[name] for m in found]) for name in names}
        kept = [self._is_on_lattice(m.material) for m in found]
        shares = {} if None in kept else {PARENT_LATTICE_KEPT: float(np.mean(np.array(kept)))}
        note = rounding(alloy, self.options)
        remarks = {}
        for name, each in values.items():
            notes = [m.remarks[name] for m in found if name in m.remarks]
            if len(found) > 1:
                error = each.std(ddof=1) / np.sqrt(len(each))
                notes.insert(0, f"mean of {len(found)} cells, standard error {error:.2g}")
            if note and name == names[0]:
                notes.insert(0, note)
            if notes:
                remarks[name] = "; ".join(dict.fromkeys(notes))
        return Measurement(
            Status.OK,
            {name: float(each.mean()) for name, each in values.items()} | shares,
            found[0].material if len(found) == 1 else None,
            None,
            self.name,
            self.fingerprint(),
            _total(found),
            _document(cells, found),
            {name: why for m in reversed(found) for name, why in m.doubts.items()},
            remarks,
        )

    def _is_on_lattice(self, relaxed: Material | None) -> bool | None:
        """Return whether a relaxed cell is on its lattice; None where that cannot be told."""
        if not isinstance(relaxed, Structure) or self.options.lattice not in SPACE_GROUPS:
            return None
        frame = parent_frame(relaxed)
        return frame is not None and frame.parent == self.options.lattice

    def _named(self, found: Measurement) -> Measurement:
        return replace(found, oracle=self.name, fingerprint=self.fingerprint(), material=None)

    def _failed(self, message: str) -> Measurement:
        return Measurement.failed(
            FailureKind.UNSUPPORTED, message, oracle=self.name, fingerprint=self.fingerprint()
        )


def in_cells(crystals: Oracle, options: CellOptions | None) -> Oracle:
    """Return an oracle of compositions by one of crystals; that of crystals without options."""
    return crystals if options is None else AlloyOracle(crystals, options)


def _total(found: Sequence[Measurement]) -> Cost:
    total = sum((m.cost for m in found), Cost())
    return replace(total, calls=min(1, total.calls))


def _document(cells: Sequence[AlloyCell], found: Sequence[Measurement]) -> Mapping[str, Any]:
    return {"cells": [_cell_record(c, m) for c, m in zip(cells, found, strict=True)]}


def _cell_record(cell: AlloyCell, found: Measurement) -> dict[str, Any]:
    relaxed = cell.structure if found.material is None else found.material
    return {
        "formula": formula_of(cell.structure),
        "seed": cell.seed,
        "short_range_order": dict(cell.short_range_order),
        "properties": dict(found.properties),
        "relaxed" if found.material is not None else "unrelaxed": material_to_json(relaxed),
        **({} if found.document is None else {"document": found.document}),
    }
