"""Pictures after the paper's Figs. 5 and 6: z of all alloys, coloured by what they are."""

from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from scipy.stats import gaussian_kde

from benchmarks.dvae.data import Alloys
from benchmarks.dvae.generator import REFRACTORY

FOLDER = Path(__file__).parent / "pictures"


def draw(alloys: Alloys, z: np.ndarray) -> Path:
    """Draw the first two principal components of z (n, d); return the picture's path."""
    centred = z - z.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred @ axes[:2].T).T
    is_refractory = np.isin(alloys.elements, REFRACTORY)
    colours = (
        ("single phase (Fig. 5a)", alloys.labels),
        ("number of elements (Fig. 6a)", (alloys.fractions > 0).sum(1)),
        ("share of refractory metals (after Fig. 6b)", alloys.fractions[:, is_refractory].sum(1)),
    )
    figure, panels = plt.subplots(1, 4, figsize=(16, 3.8), layout="constrained")
    for panel, (title, values) in zip(panels, colours, strict=False):
        dots = panel.scatter(x, y, c=values, s=5, cmap="viridis")
        figure.colorbar(dots, ax=panel)
        panel.set_title(title, fontsize=9)
    density = gaussian_kde(np.stack([x, y]))
    grid = np.stack(np.meshgrid(np.linspace(-4, 4, 80), np.linspace(-4, 4, 80)))
    panels[3].contourf(*grid, density(grid.reshape(2, -1)).reshape(80, 80), 12)
    panels[3].set_title("density (Fig. 5b)", fontsize=9)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "dvae-latents.png"
    figure.savefig(path, dpi=70, metadata={"Software": None})
    plt.close(figure)
    return path
