"""Settings under which the ready campaigns end in seconds, of all their elements."""

from tests.loop.alloys import SMALL_DVAE

_ALLOYS = (
    *(f"model.{key}={value}" for key, value in SMALL_DVAE.items()),
    "acquisition.batch=4",
    "budget.initial=8",
    "budget.rounds=1",
)
_FTCP = (
    "model.network.width=32",
    "model.network.depth=1",
    "model.network.embedding=8",
    "model.network.steps=30",
    "model.network.refit_steps=10",
    "model.latents=8",
    "space.max_atoms=5",
    "acquisition.batch=2",
    "budget.initial=6",
    "budget.rounds=2",
    "budget.measurements=[10]",
    "execution.workers=1",
)
_PCDVAE = (
    "model.latent=8",
    "model.encoder_width=8",
    "model.decoder_width=8",
    "model.decoder_blocks=1",
    "model.head_width=16",
    "model.neighbours=12",
    "model.epochs=1",
    "model.ancestral_steps=2",
    "acquisition.batch=2",
    "acquisition.pool=6",
    "augmentation.iterations=1",
    "augmentation.swaps=2",
    "budget.initial=8",
    "budget.rounds=1",
    "budget.measurements=[20]",
    "execution.workers=1",
)
_TABLE = (
    "acquisition.batch=4",
    "budget.initial=8",
    "budget.rounds=1",
    "budget.measurements=[12]",
)
SMALL_DECORATIONS = (
    "space.atoms=16",
    "model.epochs=2",
    "model.unlabelled=32",
    "acquisition.batch=3",
    "acquisition.pool=16",
    "budget.initial=8",
    "budget.rounds=1",
)
_ORDERING = (
    "space.fractions={Ni: [0.25, 0.25], Cr: [0.25, 0.25], Fe: [0.5, 0.5]}",
    "space.atoms=16",
    "model.epochs=2",
    "model.unlabelled=32",
    "acquisition.batch=3",
    "acquisition.pool=16",
    "budget.initial=8",
    "budget.rounds=1",
    "budget.measurements=[40]",
    "execution.workers=1",
)
_LATTICE = (
    *SMALL_DECORATIONS,
    "budget.measurements=[40, 1]",
    "tiers.1.promote=1",
    "tiers.1.force_tolerance=0.2",
    "constraints=[]",  # of formation energies: the dear tier would calculate each element
    "execution.workers=1",
)
_ALONE = (
    "model.epochs=2",
    "model.unlabelled=32",
    "acquisition.batch=2",
    "acquisition.pool=16",
    "budget.rounds=1",
    "execution.workers=1",
)
SMALL = {
    "fcc-stacking-fault": (
        *_ALLOYS,
        "acquisition.batch=1",
        "budget.initial=4",
        "space.fractions={Co: [0, 0.25], Cr: [0, 0.25], Fe: [0, 0.04], Ni: [0.5, 1]}",
        "tiers.0.cells.atoms=4",
        "budget.measurements=[5]",
        "execution.workers=1",
    ),
    "ftcp-formation-energy": (*_FTCP, "acquisition.pool=8"),
    "ftcp-gap": _FTCP,
    "hea-single-phase": _ALLOYS,
    "hea-single-phase-lab": (*_ALLOYS, "acquisition.pool=40"),
    "low-expansion": (
        *_ALONE,
        "space.atoms=16",
        "tiers.0.dynamics={temperature: 600, equilibrate: 0.2, sample: 0.4, atoms: 32}",
        "budget.initial=6",
        "budget.measurements=[10]",
    ),
    "nifecr-bulk-modulus": _LATTICE,
    "nifecr-ordering": _ORDERING,
    "nifecr-pcdvae": _PCDVAE,
    "nitride-coating": (
        *_ALONE,
        "space.atoms=16",
        "space.sublattices.X.fractions.vacancy=[0, 0.125]",
        "tiers.0.model=chgnet",
        "tiers.0.force_tolerance=0.2",
        "acquisition.batch=1",
        "budget.initial=2",
        "budget.measurements=[3]",
    ),
    "oer": _TABLE,
    "seven-elements": (*_ALONE, "budget.initial=12", "budget.measurements=[16]"),
    "stiffest-binary": _TABLE,
}
"""By name of the campaign; each is ``KEY=VALUE``, as for ``--set``."""
