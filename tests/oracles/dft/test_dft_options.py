import subprocess
import sys

import pytest
from pydantic import ValidationError

from oracles.dft.options import DftOptions


def test_a_tier_needs_no_more_than_its_engine():
    options = DftOptions.model_validate({"kind": "dft", "engine": "chgnet", "promote": 3})
    assert options.promote == 3
    assert options.timeout == 600
    assert DftOptions(engine="vasp").timeout == 86400
    assert DftOptions.model_validate(options.model_dump(mode="json")) == options


def test_options_load_no_simulation_package():
    heavy = ["torch", "atomate2", "jobflow", "chgnet", "pymatgen", "ase", "custodian"]
    program = (
        "import sys; from oracles.dft.options import DftOptions; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"magmoms": {"Xx": 1.0}}, "Xx is no element"),
        ({"vasp": {"maker": "os.system"}}, "vasp.maker"),
        ({"engine": "gaussian"}, "engine"),
        ({"protocol": "relax", "end_members": True}, "gives none"),
        ({"espresso": {"cutoff": 60, "density_cutoff": 200}}, "at least four times"),
        ({"functional": "PBE"}, "functional"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(settings, words):
    with pytest.raises(ValidationError, match=words):
        DftOptions.model_validate(settings)
