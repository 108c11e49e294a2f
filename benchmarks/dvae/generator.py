"""Reconstruction, disentanglement, consistency and inversion of one trained DVAE."""

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alloop.models.dvae.inversion import invert
from alloop.models.dvae.model import DvaeModel
from alloop.models.metrics.exchanged import atoms_exchanged
from benchmarks.dvae.data import Alloys, Split

REFRACTORY = ("Ti", "V", "Zr", "Nb", "Mo", "Hf", "Ta", "W", "Re")
N_DECODED = 1000
PROBABILITIES = (0.6, 0.9, 1.0)
"""Where decoding is compared, as in the paper."""
NEARNESS = 0.1
"""Standard deviation around an alloy's z; z itself has one of about 1."""


def reconstruction(model: DvaeModel, alloys: Alloys, rows: np.ndarray) -> dict[str, float]:
    """Return mean and largest MAE of the element fractions, percent, head-predicted φ."""
    decoded = model.decode(model.encode([alloys.materials[i] for i in rows]), seed=0)
    back = np.array([[m.get_atomic_fraction(s) for s in alloys.elements] for m in decoded])
    error = 100 * np.abs(back - alloys.fractions[rows]).mean(1)
    return {
        "reconstruction_mae_percent": float(error.mean()),
        "reconstruction_max_mae_percent": float(error.max()),
    }


def probes(model: DvaeModel, alloys: Alloys, split: Split) -> dict[str, float]:
    """Return what probes read from z: AUC on test rows of probes trained on training rows.

    Of the phase, of whether there are four elements or more, and of whether most atoms are
    of refractory metals.
    """
    is_refractory = np.isin(alloys.elements, REFRACTORY)
    targets = {
        "phase": alloys.labels == 1,
        "four_elements": (alloys.fractions > 0).sum(1) >= 4,
        "refractory": alloys.fractions[:, is_refractory].sum(1) > 0.5,
    }
    z = latents(model, alloys)
    found = {}
    for name, target in targets.items():
        for kind, probe in (
            ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
            ("forest", RandomForestClassifier(300, random_state=0)),
        ):
            probe.fit(z[split.training], target[split.training])
            said = probe.predict_proba(z[split.test])[:, 1]
            found[f"{name}_probe_auc_{kind}"] = float(roc_auc_score(target[split.test], said))
    return found


def latents(model: DvaeModel, alloys: Alloys) -> np.ndarray:
    """Return z of all alloys at the phase that the head predicts, shape (n, d)."""
    return model.encode(alloys.materials)[:, : model.options.latents].numpy()


def consistency(model: DvaeModel, alloys: Alloys, split: Split, seed: int) -> dict[str, float]:
    """Return the share of decoded alloys that the head says are of the φ they were decoded at.

    First of what is decoded at the first try, then of what ``decode`` gives after its retries.
    Latent points lie around those of training alloys of either phase, drawn at random.
    """
    points = _points(model, alloys, split, seed)
    d = model.options.latents
    found = {}
    with torch.no_grad():
        for phase in (0, 1):
            points[:, d] = float(phase)
            once = model.learned.decode(points[:, :d], points[:, d:])
            for name, said in (
                ("_first_try", model.learned.believe(once).mean),
                ("", model.predict(points).mean),
            ):
                agrees = (said[:, 0] >= 0.5) == bool(phase)
                found[f"consistency_phase_{phase}{name}"] = float(agrees.float().mean())
    return found


@torch.no_grad()
def decoded_by_probability(
    model: DvaeModel, alloys: Alloys, split: Split, seed: int
) -> dict[str, float]:
    """Return what decoding the same points at φ = 0.6, 0.9 and 1 gives, at the first try.

    The head's mean probability at each, and the share of atoms by which an alloy differs from
    that decoded at φ = 1.
    """
    points = _points(model, alloys, split, seed)
    d = model.options.latents
    found, decoded = {}, {}
    for phi in PROBABILITIES:
        points[:, d] = phi
        decoded[phi] = model.learned.decode(points[:, :d], points[:, d:])
        said = model.learned.believe(decoded[phi]).mean[:, 0]
        found[f"probability_decoded_at_phi_{phi}"] = float(said.mean())
    for phi in PROBABILITIES[:-1]:
        exchanged = (decoded[phi] - decoded[1.0]).abs().sum(1).mean() / 2
        found[f"atoms_exchanged_phi_{phi}_to_1.0"] = float(exchanged)
    return found


def _points(model: DvaeModel, alloys: Alloys, split: Split, seed: int) -> torch.Tensor:
    """Return latent points (n, d + 1) around those of training alloys."""
    draws = torch.Generator().manual_seed(seed)
    known = model.encode([alloys.materials[i] for i in split.training])
    points = known[torch.randint(len(known), (N_DECODED,), generator=draws)].clone()
    d = model.options.latents
    points[:, :d] += NEARNESS * torch.randn(N_DECODED, d, generator=draws)
    return points


def inversion(model: DvaeModel, alloys: Alloys, split: Split) -> dict[str, float]:
    """Return the share of correctly predicted multi-phase test alloys that are inverted, and how:
    by the smallest change, and by decoding alone, as published."""
    multi = [alloys.materials[i] for i in split.test if alloys.labels[i] == 0]
    said = model.assess(multi).prediction.mean[:, 0] < 0.5
    right = [alloy for alloy, is_right in zip(multi, said, strict=True) if is_right]
    found: dict[str, float] = {}
    for name, keep in (("", True), ("_published", False)):
        paths = [invert(model, alloy, keep_elements=keep) for alloy in right]
        done = [path for path in paths if path.succeeded]
        ends = [[path.steps[i].design.composition for i in (0, -1)] for path in done]
        far = [path.steps[-1].design.is_far for path in done]
        kept = [sum(element in new for element in old) for old, new in ends]
        figures = {
            "success_rate": len(done) / len(paths),
            "median_steps": np.median([len(path.steps) - 1 for path in done]),
            "far_from_data": np.mean(far),
            "median_elements_kept": np.median(kept),
            "median_atoms_exchanged": np.median([atoms_exchanged(*pair) for pair in ends]),
        }
        found |= {f"inversion_{key}{name}": float(value) for key, value in figures.items()}
    return found
