"""People who answer what `hea-single-phase-lab` asks for, without a furnace."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Composition, Element

from alloop.errors import DataError
from alloop.loop.people.requests.table import REQUESTS
from alloop.public_data.datasets import find_file

FCC_FROM = 8.0
"""Valence electrons per atom from which alloys tend to be one fcc phase: Guo et al., J. Appl. Phys.
109 (2011) 103505."""

Label = Callable[[Composition], int]


def fill_in(run: Path) -> Path:
    """Answer every row of RUN/requests.csv and return the path of the filled sheet, beside it."""
    label = published() or electron_rule
    with (run / REQUESTS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path = run / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            value = label(Composition(row["formula"]))
            writer.writerow(row | {"single_phase_probability": value})
    return path


def published() -> Label | None:
    """Return a function that gives the label of the nearest published alloy; None where the
    table of published alloys is not at hand.
    """
    try:
        table = pd.read_csv(find_file("hea"), comment="#")
    except DataError:
        return None
    elements = list(table.columns[2:])
    fractions, labels = table[elements].to_numpy(), table["Class"].to_numpy()

    def nearest(composition: Composition) -> int:
        wanted = np.array([composition.get_atomic_fraction(el) for el in elements])
        return int(labels[np.abs(fractions - wanted).sum(axis=1).argmin()])

    return nearest


def electron_rule(composition: Composition) -> int:
    """Return a made-up label by a rule of thumb, the concentration of valence electrons."""
    electrons = sum(x * _valence(Element(el)) for el, x in composition.get_el_amt_dict().items())
    return int(electrons / composition.num_atoms >= FCC_FROM)


def _valence(element: Element) -> int:
    return element.group if element.group <= 12 else element.group - 10
