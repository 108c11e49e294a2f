import subprocess
import sys
from typing import get_args

import pytest
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from alloop.campaigns.load import parse_spec
from alloop.oracles.dft.engines.vasp import MAKERS, VaspEngine
from alloop.oracles.dft.options import DftOptions, DftProtocol, EngineName, InputSet
from alloop.settings.profiles import Profile

FACES = [[0.0] * 3, [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]


def test_a_tier_needs_no_more_than_its_engine():
    options = DftOptions.model_validate({"kind": "dft", "engine": "chgnet", "promote": 3})
    assert options.promote == 3
    assert options.timeout == 600
    assert DftOptions(engine="vasp").timeout == 86400
    # What waits in a queue is alive, however long it waits.
    assert DftOptions(engine="vasp", manager="jobflow-remote").timeout == 30 * 86400
    assert DftOptions.model_validate(options.model_dump(mode="json")) == options


def test_options_load_no_simulation_package():
    heavy = ["torch", "atomate2", "jobflow", "chgnet", "pymatgen", "ase", "custodian"]
    program = (
        "import sys; from alloop.oracles.dft.options import DftOptions; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout.strip() == b"[]"


@pytest.mark.parametrize("inputs", get_args(InputSet))
def test_every_input_set_of_the_list_makes_a_relaxation(inputs):
    maker = MAKERS[inputs]
    engine = VaspEngine(DftOptions(engine="vasp", vasp={"inputs": inputs}), Profile())
    nickel = Structure(Lattice.cubic(3.52), ["Ni"] * 4, FACES)
    nickel.add_site_property("magmom", [1.0] * 4)
    flow = engine.relaxation(nickel, seconds=60)
    assert [type(job.maker).__name__ for job in flow.jobs] == [maker.rpartition(".")[2]] * 2


@pytest.mark.parametrize("protocol", get_args(DftProtocol))
@pytest.mark.parametrize("engine", get_args(EngineName))
def test_every_protocol_can_be_named_in_a_campaign(engine, protocol):
    tier = {"kind": "dft", "engine": engine, "protocol": protocol}
    spec = parse_spec(
        {
            "name": "dear",
            "space": {"elements": ["Ni", "Fe"]},
            "objectives": [{"property": "energy_per_atom", "goal": "minimise"}],
            "tiers": [tier],
            "budget": {"measurements": [64]},
        },
        where="here",
    )
    assert spec.tiers[0] == DftOptions.model_validate(tier)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"magmoms": {"Xx": 1.0}}, "Xx is no element"),
        ({"vasp": {"inputs": "os.system"}}, "vasp.inputs"),
        ({"engine": "gaussian"}, "engine"),
        ({"protocol": "relax", "end_members": True}, "gives none"),
        ({"espresso": {"cutoff": 60, "density_cutoff": 200}}, "at least four times"),
        ({"functional": "PBE"}, "functional"),
        ({"vasp": {"command": "vasp_std"}}, r"profiles\.NAME\.vasp\.command"),
        ({"vasp": {"poll": 3.0}}, r"profiles\.NAME\.vasp\.poll"),
        ({"espresso": {"command": "pw.x"}}, r"profiles\.NAME\.espresso\.command"),
        ({"espresso": {"pseudopotential_folder": "/"}}, r"espresso\.pseudopotential_folder"),
        ({"espresso": {"pseudopotentials": {"Ni": "../Ni.UPF"}}}, "pseudopotentials"),
        ({"remote": {"worker": "here"}}, r"profiles\.NAME\.jobflow_remote"),
        ({"profile": "../other"}, "profile"),
        ({"vasp": {"incar": {"ALGO": "Fast; GGA = PS"}}}, "more than a value"),
        ({"vasp": {"incar": {"ALGO": "Fast\nGGA = PS"}}}, "more than a value"),
        ({"vasp": {"incar": {"ALGO=Fast\nGGA": "PS"}}}, "vasp.incar"),
        ({"vasp": {"potcars": {"Fe": "../../Fe"}}}, "vasp.potcars"),
        ({"espresso": {"system": {"input_dft": "pbe' /\n&control outdir='/"}}}, "more than a"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(settings, words):
    with pytest.raises(ValidationError, match=words):
        DftOptions.model_validate(settings)
