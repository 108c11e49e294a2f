"""Seeds derived from what is being done, so that a resumed campaign draws the same numbers."""

from alloop.canonical import canonical_json, sha256


def derive_seed(*parts: int | str) -> int:
    """Return a seed in [0, 2**31) that depends on every part, for example
    ``derive_seed(campaign_seed, "propose", round)``.
    """
    return int(sha256(canonical_json(list(parts)))[:12], 16) % 2**31
