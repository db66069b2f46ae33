"""Pores whose depths differ from place to place: one admittance of the harmonic mean, and weights d_0/d on the face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import outline_cells
import pytest
from masks import masked, random_pixels
from oracle import direct
from scipy.constants import epsilon_0

import fem_constriction as fc
from fem_constriction.errors import InputError
from fem_constriction.fem import FiniteElements
from fem_constriction.grids.grid import Grading, family_member
from fem_constriction.problem.faces import Mask, Mosaic, Rectangles
from fem_constriction.problem.problem import Problem
from fem_constriction.solving.one_grid import solve_grid
from fem_constriction.stack.face_model import reduce_layered
from network import Network
from validation.discs.face import certificate

SQUARE = {"shape": "square", "fraction": 0.25}
#: Depths in nm; what lies under the square does not matter.
DEPTHS = np.array([[20, 20, 20, 50.0], [20, 1, 1, 50], [5, 1, 1, 50], [5, 5, 5, 5]])
FILLED = {"relative_permittivity": 10, "conductivity": "1e-9 S/cm"}


def filled(depth: Any, contact: Any = SQUARE, robin: bool = True, **pore: Any) -> fc.Cell:
    """A cell of 50 um with pores that are filled, of these depths."""
    return outline_cells.cell(contact, robin).vary({"working_electrode.pore": {"depth": depth, **FILLED, **pore}})


def mapped(depths: Any, **rest: Any) -> fc.Cell:
    """The same of a map in nm."""
    return filled({"image": np.asarray(depths), "unit": "nm"}, **rest)


@pytest.mark.parametrize("robin", [True, False])
def test_the_network_is_the_kirchhoff_network_whose_pores_are_eps_over_d(robin: bool) -> None:
    """Assembled here voxel by voxel from the file's values alone: 4 x 4 x 4 voxels, a pore (sigma + s eps)/d on each."""
    cell, n, s = mapped(DEPTHS, robin=robin), 4, 2e4j
    h = 50e-6 / n
    kappa = 0.046 + s * 150 * epsilon_0
    matrix, right = np.zeros((n**3, n**3), complex), np.zeros(n**3, complex)
    at = np.arange(n**3).reshape(n, n, n)
    for axis in range(3):
        for a, b in zip(
            np.delete(at, -1, axis).ravel().tolist(), np.delete(at, 0, axis).ravel().tolist(), strict=True
        ):  # between centres of voxels
            matrix[[a, a, b, b], [a, b, b, a]] += kappa * h * np.array([1, -1, 1, -1])
    into = np.zeros((n, n), complex)
    for i in range(n):
        for j in range(n):
            touching = i in (1, 2) and j in (1, 2)
            y = (1e-7 + s * 10 * epsilon_0) / (DEPTHS[i, j] * 1e-9)
            y = (1e4 + s * 8.85 if robin else np.inf) if touching else y
            into[i, j] = h**2 / (h / 2 / kappa + 1 / y)
            matrix[at[i, j, 0], at[i, j, 0]] += into[i, j]
            right[at[i, j, 0]] += into[i, j]
            matrix[at[i, j, -1], at[i, j, -1]] += h**2 / (h / 2 / kappa)  # the counter electrode is ideal
    phi = np.linalg.solve(matrix, right)
    current = np.sum(into * (1 - phi[at[:, :, 0]]))
    problem = Problem.of(cell).within((1e3, 1e5))
    network = Network()
    found = solve_grid(problem, network, network.uniform(problem, n), problem.band).model.impedance(np.array([s]))
    np.testing.assert_allclose(found, 1 / current, rtol=1e-9)


def test_pores_alone_have_the_capacitance_of_eps_over_d_summed_over_the_face() -> None:
    """Without contact and far below all other times Z = 1/(s int eps/d dA) and the electrolyte's, on both backends."""
    cell = mapped(DEPTHS, contact={"shape": "square", "fraction": 0.0}, conductivity=None)
    capacitance = 25e-10 * np.mean(10 * epsilon_0 / (DEPTHS * 1e-9))
    s = 2j * np.pi * 1e-3
    for backend in (Network(), FiniteElements()):
        problem = Problem.of(cell).over([1e-3])
        model = solve_grid(problem, backend, backend.grid(problem, 0), problem.band).model
        z = model.impedance(np.array([s]))
        np.testing.assert_allclose(z.imag, (1 / (s * capacitance)).imag, rtol=1e-9)
        # Current enters where pores are shallow, and spreads: more than the electrolyte, which is 1e-7 of |Z|.
        assert 1.05 < z.real * 25e-10 * 0.046 / 50e-6 < 1.5


@pytest.mark.parametrize(("few", "face"), [(20, Mosaic), (0, Mask)])
@pytest.mark.parametrize("backend", [Network(), FiniteElements(degree=1)])
def test_masks_with_maps_are_solved_as_their_own_matrices_say(
    backend: Any, few: int, face: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fem_constriction.problem.faces.FEW", few)
    depths = np.random.default_rng(1).uniform(5, 50, (3, 3))
    problem = Problem.of(mapped(depths, contact=masked(random_pixels(6, seed=2))))
    assert type(problem.face) is face
    grid = family_member(problem, Grading(2.5, 2), 0, crowded=12) if few else backend.uniform(problem, 6)
    assert grid.contact_area == pytest.approx(problem.contact_area, rel=1e-12)
    s = 2j * np.pi * np.array([1e-1, 1e5, 1e7])
    assembly = backend.assemble(problem, grid)
    model = reduce_layered(backend.layered(problem, grid), problem.places, (0.5, 1e8))
    np.testing.assert_allclose(model.impedance(s), direct(assembly, problem.places, s), rtol=3e-8)  # projected to below 1e-8
    metal = np.zeros((assembly.operators["pore"].shape[0], 1))
    metal[-1] = 1  # weights have the mean 1
    assert float((metal.T @ (assembly.operators["pore"] @ metal)).item()) == pytest.approx(
        problem.area - problem.contact_area, rel=1e-12
    )


def test_backends_agree_and_discs_hold_both() -> None:
    """Shallow pores to the left and right of the contact, deep ones above and below; a quarter is left, of few lines."""
    cell, f = mapped(np.array([[5.0, 50, 50, 5]]).T), np.array([1e2, 1e5, 1e7])
    one, other = (fc.solve(cell, f, backend=name, accuracy=1e-2) for name in ("network", "fem"))
    assert np.all(np.abs(one.impedance - other.impedance) <= one.uncertainty + other.uncertainty)
    plain = fc.solve(filled(cell.working_pores.mean), f, backend="fem", accuracy=1e-2)
    # It is no small matter: more than what either says of itself, by far.
    assert np.max(np.abs(plain.impedance - other.impedance) / (one.uncertainty + other.uncertainty)) > 5
    discs = certificate(Problem.of(cell).over(f), FiniteElements(), 0).discs(f)
    for each in (one, other):
        assert np.all(np.abs(each.impedance - discs.centre) <= discs.radius + each.uncertainty)
    assert np.all(discs.radius < 1e-3 * np.abs(discs.centre))


def test_a_constant_map_is_its_depth_and_regions_are_a_map() -> None:
    plain = filled("20 nm")
    constant = mapped(np.full((8, 8), 20.0))
    assert Problem.of(constant).face == Problem.of(plain).face
    assert constant.working_pores.mean == pytest.approx(20e-9, rel=1e-15)
    region = {"centre": ["6.25 um", "25 um"], "size": ["12.5 um", "50 um"], "depth": "5 nm"}
    image = np.full((4, 4), 20.0)
    image[0] = 5
    listed, drawn = (Problem.of(each) for each in (filled("20 nm", regions=[region]), mapped(image)))
    assert type(listed.face) is Rectangles
    for one, other in zip(
        (*listed.face.thinness.lines, listed.face.thinness.values),  # type: ignore[union-attr]
        (*drawn.face.thinness.lines, drawn.face.thinness.values),  # type: ignore[union-attr]
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    # Half of the pores, 5 and 20 nm deep: as much as 8 nm everywhere.
    halves = mapped(np.repeat([[5.0], [20.0]], 2, axis=0))
    assert halves.working_pores.mean == pytest.approx(8e-9, rel=1e-12)
    assert Problem.of(halves).places["pore"] == Problem.of(filled("8 nm")).places["pore"]


def test_symmetry_is_that_of_contact_and_depths() -> None:
    assert Problem.of(mapped(DEPTHS)).face.cut == (False, False)
    both = np.hstack([DEPTHS, DEPTHS[:, ::-1]])
    assert Problem.of(mapped(both)).face.cut == (False, True)
    middle = Problem.of(mapped(np.array([[5.0, 9, 5]]))).face  # whose middle is on no line
    assert middle.cut == (True, True)
    np.testing.assert_allclose(middle.thinness.lines[1], [0, 25e-6 / 3, 12.5e-6, 25e-6])  # type: ignore[union-attr]


def test_a_map_at_the_counter_electrode_is_the_cell_turned_round() -> None:
    """Of two patterned electrodes Z is that of the cell with both exchanged, on each backend, mode by mode."""
    depths = {"depth": {"image": np.array([[20.0, 5.0]]), "unit": "nm"}, **FILLED}
    plain = {"depth": "10 nm", **FILLED}
    small = {"shape": "square", "fraction": 0.09}
    transfer = {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"}
    one, other = (
        {"contact": contact, "charge_transfer": transfer, "pore": pore} for contact, pore in ((SQUARE, depths), (small, plain))
    )
    cell = outline_cells.cell(SQUARE)
    s = 2j * np.pi * np.array([1e1, 1e5])
    for backend in (Network(), FiniteElements(degree=1)):
        z = []
        for working, counter in ((one, other), (other, one)):
            problem = Problem.of(cell.vary({"working_electrode": working, "counter_electrode": counter}))
            grid = family_member(problem, Grading(2.5, 2), 0)
            z.append(reduce_layered(backend.layered(problem, grid), problem.places, (10, 1e7)).impedance(s))
            if working is one:
                plainly = direct(backend.assemble(problem, grid), problem.places, s)
                np.testing.assert_allclose(z[0], plainly, rtol=3e-8)
        np.testing.assert_allclose(z[0], z[1], rtol=3e-8)  # each projected to below 1e-8


def test_a_saved_cell_has_the_map_in_it(tmp_path: Path) -> None:
    np.save(tmp_path / "depth.npy", DEPTHS)
    cell = mapped(DEPTHS)
    cell.save(tmp_path / "cell.toml")
    assert fc.Cell.load(tmp_path / "cell.toml") == cell
    text = (tmp_path / "cell.toml").read_text()
    start = text.index('image = "data:application/zip')
    (tmp_path / "file.toml").write_text(
        text[:start] + 'image = "depth.npy"' + text[text.index("\n", start) :], encoding="utf-8"
    )
    assert Problem.of(fc.Cell.load(tmp_path / "file.toml")).face == Problem.of(cell).face


@pytest.mark.parametrize(
    ("pore", "said"),
    [
        ({"depth": {"image": DEPTHS * 0, "unit": "nm"}}, "pore.depth.image .*depths of 0 m lie beside the contact"),
        ({"depth": {"image": -DEPTHS, "unit": "nm"}}, "pore.depth.image .*depths of -5e-08 m lie beside"),
        ({"depth": {"image": DEPTHS}}, "pore.depth.unit is missing: .*'m' or 'mm' or 'um' or 'nm'"),
        ({"depth": {"image": DEPTHS, "unit": "nm", "pixel": "1 um"}}, "pore.depth.pixel = 1e-06 m .*4 pixels"),
        ({"depth": {"image": "none.png", "unit": "nm"}}, "pore.depth.image = 'none.png' .*no such file"),
        ({"depth": {"image": np.full((2, 2), np.nan), "unit": "nm"}}, "pore.depth.image .*not finite"),
        ({"depth": True}, "pore.depth = True .*or a map of them"),
        ({"depth": {"image": DEPTHS, "unit": "nm"}, "cpe": {"Q": 1.0, "exponent": 0.9}}, "pore.cpe .*given per area"),
        ({"depth": "1 nm", "regions": [{"centre": [0, 0], "size": [1e-5, 1e-5], "depth": 1e-9}]}, "regions.0 .*beyond the"),
    ],
)  # fmt: skip
def test_depths_that_are_wrong_are_refused_in_a_sentence(pore: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        outline_cells.cell(SQUARE).vary({"working_electrode.pore": {"relative_permittivity": 10, **pore}})
    assert str(raised.value).startswith("working_electrode.pore")
    assert len(str(raised.value)) < 500


def test_what_depths_do_not_go_with_is_refused_in_a_sentence() -> None:
    cell = mapped(DEPTHS)
    film = {"resistance": "5 ohm cm^2", "covers": "face"}
    with pytest.raises(InputError, match="pore.depth .*with an interphase that covers the face: .*give one depth"):
        cell.vary({"working_electrode.interphase": film})
    cell.vary({"working_electrode.interphase": {**film, "covers": "contact"}})
    with pytest.raises(InputError, match="pore.depth .*beside discs.*draw the contact on pixels"):
        cell.vary({"working_electrode.contact": {"shape": "disc", "fraction": 0.2}})
    odd = cell.vary({"working_electrode.contact.fraction": 0.2371, "working_electrode.pore.depth.image": _many()})
    with pytest.raises(InputError, match="edges of the contact lie on no line between its pixels"):
        _ = Problem.of(odd).faces
    image = {"image": np.zeros((4, 4, 4), dtype=int), "voxel": "12.5 um"}
    with pytest.raises(InputError, match="pore.depth .*electrolyte.microstructure: its pores have one depth"):
        cell.vary({"electrolyte.microstructure": image})


def _many() -> Any:
    return 10 + np.random.default_rng(0).random((32, 32))
