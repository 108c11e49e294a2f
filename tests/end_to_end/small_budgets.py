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
    "model.freezing_steps=1",
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
    "execution.workers=1",
)
SMALL = {
    "ftcp-formation-energy": (*_FTCP, "acquisition.pool=8"),
    "ftcp-gap": _FTCP,
    "hea-single-phase": _ALLOYS,
    "hea-single-phase-lab": (*_ALLOYS, "acquisition.pool=40"),
    "nifecr-bulk-modulus": _LATTICE,
    "nifecr-ordering": _ORDERING,
    "nifecr-pcdvae": _PCDVAE,
    "oer": _TABLE,
    "stiffest-binary": _TABLE,
}
"""By name of the campaign; each is ``KEY=VALUE``, as for ``--set``."""
