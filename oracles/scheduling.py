"""How often and how many at once a tier measures: options that every oracle's have.

Like ``timeout`` they say where and how often a measurement runs and never change its value. So
they are no part of a fingerprint, and a run may be continued with others.
"""

from typing import Annotated

from pydantic import Field

Attempts = Annotated[
    int,
    Field(
        ge=1,
        le=10,
        description="how often a measurement is tried whose worker is lost or whose time is over; "
        "what the material itself brings about is not tried again",
    ),
]

AtOnce = Annotated[
    int | None,
    Field(
        ge=1,
        le=1024,
        description="measurements of this tier at once, for example as many as there are "
        "licences; by default all workers",
    ),
]

SCHEDULING = frozenset({"timeout", "attempts", "workers"})
"""Keys of a tier that change where, how long and how often it measures, and nothing else."""
