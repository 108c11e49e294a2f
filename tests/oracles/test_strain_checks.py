import numpy as np
import pytest

from alloop.oracles.strain_checks import (
    FIT_STRAINS,
    SHEAR_FIT_STRAINS,
    Fit,
    SeveralStrains,
    birch_murnaghan,
    check_strains,
    slope,
)

K, K_PRIME, V = 180.0, 4.7, 11.0


def birch(volume: float) -> float:
    """Birch's pressure, Phys. Rev. 71 (1947) 809, as textbooks print it, GPa."""
    x = V / volume
    return 1.5 * K * (x ** (7 / 3) - x ** (5 / 3)) * (1 + 0.75 * (K_PRIME - 4) * (x ** (2 / 3) - 1))


def test_the_fit_returns_the_modulus_of_an_equation_of_state() -> None:
    volumes = [V * (1 + strain) ** 3 for strain in FIT_STRAINS]
    fit = birch_murnaghan(volumes, [birch(volume) for volume in volumes], V)
    assert fit.value == pytest.approx(K, rel=1e-10)
    assert fit.error == pytest.approx(0, abs=1e-8)


def test_away_from_rest_it_is_the_slope_there() -> None:
    volumes, at = [V * (1 + strain) ** 3 for strain in FIT_STRAINS], 0.99 * V
    fit = birch_murnaghan(volumes, [birch(volume) for volume in volumes], at)
    step = 1e-5 * V
    assert fit.value == pytest.approx(
        -at * (birch(at + step) - birch(at - step)) / (2 * step), rel=1e-4
    )


def test_the_standard_error_is_that_of_scattered_points() -> None:
    rng, sigma = np.random.default_rng(0), 0.2
    volumes = [V * (1 + strain) ** 3 for strain in FIT_STRAINS]
    fits = [
        birch_murnaghan(volumes, [birch(v) + rng.normal(0, sigma) for v in volumes], V)
        for _ in range(400)
    ]
    spread = float(np.std([fit.value for fit in fits]))
    assert np.sqrt(np.mean([fit.error**2 for fit in fits])) == pytest.approx(spread, rel=0.1)


def test_a_parabola_gives_its_slope() -> None:
    stresses = np.array([0.3 + 250 * s - 900 * s**2 for s in SHEAR_FIT_STRAINS])
    assert slope(SHEAR_FIT_STRAINS, stresses).value == pytest.approx(250)


def test_values_that_disagree_are_decided_by_a_certain_fit_only() -> None:
    assert SeveralStrains(1e-6, 180.0, {5e-3: 180.2, 1e-2: 180.7}).agree
    apart = SeveralStrains(1e-6, 303.5, {5e-3: 179.7, 1e-2: 175.0})
    assert not apart.agree
    settled = apart.decided("bulk_modulus", Fit(171.0, 1.5), "a fit")
    assert settled.values == {"bulk_modulus": 171.0}
    assert not settled.doubts
    for number in ("303.5", "179.7", "171.0 ± 1.5", "1e-06", "0.005"):
        assert number in settled.remarks["bulk_modulus"]
    for fit in (Fit(171.0, 9.0), Fit(-5.0, 0.0), Fit(np.nan, np.nan)):
        open_ = apart.decided("bulk_modulus", fit, "a fit")
        assert open_.values == {"bulk_modulus": 303.5}
        assert open_.doubts["bulk_modulus"].startswith("unreliable: 303.5 GPa")
    assert not SeveralStrains(1e-6, 180.0, {5e-3: np.nan}).agree


def test_no_strain_is_checked_by_itself() -> None:
    assert all(usual not in check_strains(usual) for usual in (1e-6, 2.5e-3, 5e-3, 1e-2, 2e-2))
