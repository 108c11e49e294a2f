"""Equal parts give equal hashes and seeds; any other part gives others."""

import pytest

from alloop.canonical import canonical_json, sha256
from alloop.seeds import derive_seed


def test_key_order_does_not_matter() -> None:
    assert canonical_json({"b": 1, "a": [1.5, None]}) == canonical_json({"a": [1.5, None], "b": 1})
    assert canonical_json({"b": 1, "a": 2}) == '{"a":2,"b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json([value])


def test_the_hash_is_the_published_one() -> None:
    # FIPS 180-2, appendix B.1.
    assert sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_every_part_counts() -> None:
    seeds = {derive_seed(*parts) for parts in [(1, "fit", 2), (1, "fit", 3), (2, "fit", 2), (1, 2)]}
    assert len(seeds) == 4
    assert derive_seed(1, "fit", 2) == derive_seed(1, "fit", 2)
    assert all(0 <= seed < 2**31 for seed in seeds)
