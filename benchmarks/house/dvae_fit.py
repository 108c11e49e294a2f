"""How long a fit of the DVAE takes: as `make bench-dvae` measured it last, in processor seconds.

python -m benchmarks.house dvae_fit
"""

import json

from benchmarks.recording import RESULTS


def figures() -> dict[str, float]:
    """Return ``dvae_fit_seconds``, the mean over the published-style splits with 864 labels."""
    measured = json.loads((RESULTS / "dvae.json").read_text("utf-8"))["figures"]["fit_seconds"]
    return {"dvae_fit_seconds": float(measured["mean"])}
