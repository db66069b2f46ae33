"""What any such cell must do, whatever its materials and its discretisation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import fem_constriction as fc
from fem_constriction.fem import FiniteElements
from fem_constriction.problem.one_dimensional import physical
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.reduction.reduced import ReducedModel
from network import Network
from validation import oracles

BACKENDS = [Network(), FiniteElements(1), FiniteElements(2)]
NAMES = [f"{backend.name}-{backend.order:g}" for backend in BACKENDS]


@pytest.fixture(params=BACKENDS, ids=NAMES)
def backend(request: pytest.FixtureRequest):
    return request.param


@cache
def model_of(cell: fc.Cell, backend, level: int = 0) -> ReducedModel:
    band = (2 * np.pi * 1e-3, 2 * np.pi * 1e9)
    return reduce(backend.assemble(cell, backend.grid(cell, level)), admittances(cell), band)


def test_it_is_passive_and_its_real_part_falls_with_frequency(every_process: fc.Cell, backend) -> None:
    z = model_of(every_process, backend).impedance(2j * np.pi * np.geomspace(1e-3, 1e9, 200))
    assert np.all(z.real > 0)
    assert np.all(z.imag < 0)
    assert np.all(np.diff(z.real) < 1e-9 * z.real[:-1])  # the projection's own accuracy


def test_all_relaxations_are_real_and_none_is_negative(every_process: fc.Cell, backend) -> None:
    relaxation = model_of(every_process, backend).relaxation()
    assert np.all(relaxation.tau >= 0)
    assert np.all(relaxation.resistance >= 0)


def test_real_and_imaginary_part_obey_kramers_and_kronig(every_process: fc.Cell, backend) -> None:
    """integral of -Im Z over ln omega = (pi/2)(R_0 - R_inf), over as many decades as relaxation needs to die out."""
    model = model_of(every_process, backend)
    tau, resistance = model.relaxation().tau, model.relaxation().resistance
    omega = np.geomspace(1e-9 / tau.max(), 1e9 / tau[tau > 0].min(), 6000)
    z = np.sum(resistance / (1 + 1j * omega[:, None] * tau), 1)
    integral = np.trapezoid(-z.imag, np.log(omega))
    assert integral == pytest.approx(np.pi / 2 * resistance[tau > 0].sum(), rel=1e-6)


@pytest.mark.parametrize("k", [20.0, 0.5])
def test_it_scales_with_the_size_of_the_cell(every_process: fc.Cell, backend, k: float) -> None:
    """Lengths times k, areal resistances times k, areal capacitances divided by k: Z/k."""
    electrode, counter = every_process.working_electrode, every_process.counter_electrode
    boundaries = every_process.electrolyte.grain_boundaries
    scaled = every_process.vary(
        {
            "geometry.width": every_process.geometry.lengths[0] * k,
            "geometry.thickness": every_process.geometry.thickness * k,
            "electrolyte.grain_boundaries.thickness": boundaries.thickness * k,
            "working_electrode.charge_transfer.resistance": electrode.charge_transfer.resistance * k,
            "working_electrode.charge_transfer.capacitance": electrode.charge_transfer.capacitance / k,
            "working_electrode.pore.capacitance": electrode.pore.areal_capacitance / k,
            "counter_electrode.charge_transfer.resistance": counter.charge_transfer.resistance * k,
            "counter_electrode.charge_transfer.capacitance": counter.charge_transfer.capacitance / k,
        }
    )
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 13)
    # The same equations: what is left is the accuracy the projection is asked for.
    assert model_of(scaled, backend).impedance(s) * k == pytest.approx(model_of(every_process, backend).impedance(s), rel=1e-8)


def test_turning_the_cell_about_the_current_axis_changes_nothing(small: fc.Cell, backend) -> None:
    cells = [small.vary({"geometry.width": width}) for width in (["40 um", "60 um"], ["60 um", "40 um"])]
    s = 2j * np.pi * np.geomspace(1e-3, 1e9, 7)
    first, second = (model_of(cell, backend).impedance(s) for cell in cells)
    assert first == pytest.approx(second, rel=1e-8)


@pytest.mark.parametrize(
    "change",
    [
        {"electrolyte.conductivity": "0.47 mS/cm"},
        {"electrolyte.grain_boundaries.conductivity": "0.6 uS/cm"},
        {"working_electrode.charge_transfer.resistance": "0.99 ohm cm^2"},
        {"working_electrode.contact.fraction": 0.26},
        {"electrolyte.grain_boundaries.layers": 4},
    ],
    ids=lambda change: next(iter(change)).split(".")[-1],
)
def test_more_conduction_anywhere_lowers_the_resistance(small: fc.Cell, change: dict) -> None:
    for backend in BACKENDS:
        assert model_of(small.vary(change), backend).resistance() < model_of(small, backend).resistance()


def test_constriction_always_raises_the_resistance(every_process: fc.Cell, ideal_contact: fc.Cell, backend) -> None:
    for cell in (every_process, ideal_contact):
        for fraction in (0.04, 0.5, 0.96):
            varied = cell.vary({"working_electrode.contact.fraction": fraction})
            assert model_of(varied, backend).resistance() > physical(varied).resistance


def test_permittivities_do_not_change_the_resistance(small: fc.Cell, backend) -> None:
    other = small.vary({"electrolyte.relative_permittivity": 3, "working_electrode.pore.capacitance": "1 uF/cm^2"})
    assert model_of(other, backend).resistance() == pytest.approx(model_of(small, backend).resistance(), rel=1e-10)


def test_the_share_of_a_process_is_what_changing_it_does(every_process: fc.Cell, backend) -> None:
    """dR/dln(sigma_p) = -share_p R: each budget against a finite difference of a new discretised cell."""
    model = model_of(every_process, backend)
    shares = {name: share[0].real for name, share in model.shares(np.zeros(1)).items()}
    for name, key, sign in (
        ("bulk", "electrolyte.conductivity", -1),
        ("grain_boundary", "electrolyte.grain_boundaries.conductivity", -1),
        ("charge_transfer", "working_electrode.charge_transfer.resistance", 1),
        ("counter_electrode", "counter_electrode.charge_transfer.resistance", 1),
    ):
        base: object = every_process
        for part in key.split("."):
            base = getattr(base, part)
        up, down = (model_of(every_process.vary({key: base * factor}), backend).resistance() for factor in (1.001, 0.999))
        slope = sign * (up - down) / (np.log(1.001) - np.log(0.999)) / model.resistance()
        assert slope == pytest.approx(shares[name], rel=1e-5, abs=1e-8)  # second order of the difference: 1e-6


def test_a_finite_contact_resistance_lies_between_equal_potential_and_equal_flux(homogeneous: fc.Cell) -> None:
    """Equipotential <= K <= uniform flux, K = (R_DC - R_1D) sigma L - zeta/eps^2; K = 0.3367065 at eps = 0.5, zeta = 0.092."""
    cell = homogeneous.vary({"working_electrode.contact.fraction": 0.25, "working_electrode.charge_transfer.resistance": 1e-4})
    sigma, length = cell.electrolyte.conductivity, cell.geometry.thickness
    resistance, uncertainty = fc.resistance(cell, backend="fem", uncertainty=True)
    k = (resistance - 1 / (sigma * length)) * sigma * length - 0.092 / 0.25
    assert k == pytest.approx(0.3367065, abs=2e-7 + uncertainty * sigma * length)
    assert k > 0.289377985806


@pytest.fixture(scope="module")
def homogeneous() -> fc.Cell:
    from paper_cells import paper_cell

    return paper_cell("homogeneous-25")


def test_a_strip_contact_is_the_exact_conformal_map() -> None:
    """A contact as wide as the cell in y is a two-dimensional problem with an exact solution."""
    width = 50e-6
    cell = fc.Cell(
        geometry={"width": [width, width / 2], "thickness": width},
        electrolyte={"conductivity": 0.046},
        working_electrode={"contact": {"shape": "square", "fraction": 0.5}},
    )
    assert cell.contact_sides == pytest.approx((width / 2, width / 2))
    expected = oracles.strip_equipotential(0.5, 1.0) / (0.046 * width / 2)
    for backend in ("network", "fem"):
        value, uncertainty = fc.resistance(cell, backend=backend, uncertainty=True)
        assert abs(value - expected) <= uncertainty
        assert uncertainty <= 3e-4 * expected
