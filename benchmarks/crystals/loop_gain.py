"""What P-CDVAE is worth in a campaign: the best after 400 labels of the ready campaign
`nifecr-pcdvae`, beside local search alone and random draws with the same first labels.

Formation energies are bounded as in the ready campaign. Seeds are five by default, a quarter of an
hour each; ``ALLOOP_BENCH_SEEDS=2`` takes two. Runs in the folder of ``ALLOOP_BENCH_RUNS`` are gone
on with.
"""

from benchmarks.kept_runs import runs_folder
from benchmarks.search.figures import best_figures, contrast_figures, key_of
from benchmarks.search.seeds import SEEDS, Strategy, compared, of_kind, seeds_wanted

CAMPAIGN = "nifecr-pcdvae"
LABELS = 400
LENGTH = (f"budget={{initial: 112, rounds: 1000, measurements: [{LABELS}]}}",)
"""A round of the ready campaign takes 96 labels, 80 of them of local search around its best."""
OURS = Strategy("pcdvae")
BASELINES = (of_kind("local-search"), of_kind("random"))


def measure() -> dict[str, float]:
    """Return ``pcdvae_loop_median_gpa`` and each seed's best, the same of the baselines
    (``pcdvae_loop_NAME_…``), and gains and p-values (``pcdvae_loop_gain_NAME``)."""
    seeds = seeds_wanted(len(SEEDS))
    with runs_folder("pcdvae-loop") as folder:
        found = compared(
            CAMPAIGN,
            [OURS, *BASELINES],
            folder,
            seeds=seeds,
            overrides=LENGTH,
            at=[LABELS],
            baselines=[each.name for each in BASELINES],
        )
    figures: dict[str, float] = {"pcdvae_loop_seeds": float(len(seeds))}
    for group in found.groups:
        name = "pcdvae_loop" if group.name == OURS.name else f"pcdvae_loop_{key_of(group.name)}"
        figures |= best_figures(name, group.at(LABELS), seeds)
    for contrast in found.contrasts:
        figures |= contrast_figures("pcdvae_loop", contrast)
    return figures
