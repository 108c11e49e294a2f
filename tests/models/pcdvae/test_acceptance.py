import pytest

from alloop.models.pcdvae.acceptance import Energies, rejection_reason


@pytest.mark.parametrize(
    ("decoded", "relaxed", "says"),
    [
        (-60.0, -64.0, None),
        (-54.0, -64.0, None),  # 10 eV above, which is still allowed
        (-53.9, -64.0, "lowers the energy by 10.1 eV"),
        (-63.9, -63.99, "-3.9994 eV/atom"),  # hotter than all training data
        (0.0, -60.0, "-3.7500 eV/atom"),  # both: the energy is named first
    ],
)
def test_energy_and_closeness_to_rest_decide(
    decoded: float, relaxed: float, says: str | None
) -> None:
    reason = rejection_reason(Energies(decoded, relaxed, 16), highest_per_atom=-4.0)
    assert reason is None if says is None else says in str(reason)
