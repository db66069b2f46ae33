"""A potential in closed form that jumps at boundaries: the finite-element matrices find it with the order that theory gives."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.sparse import kron
from scipy.sparse.linalg import spsolve
from skfem import Basis, ElementLineP1, ElementLineP2, LinearForm, MeshLine

from fem_constriction.fem.stacks.spaces import PlanarSpace, VerticalSpace
from validation.oracles import Manufactured

PROBLEM = Manufactured(
    width=(1.0, 0.8),
    layers=(0.3, 0.5, 0.2),
    contact=(0.0, 0.0, 0.5, 0.4),
    kappa=1.0 + 0.6j,
    y_gb=2.0 + 3.0j,
    y_contact=5.0 - 1.0j,
    y_pore=0.3 + 2.0j,
    y_ce=4.0 + 1.0j,
)
TERMS = range(2)
LINE = {1: ElementLineP1, 2: ElementLineP2}


def load(lines: Any, degree: int, function: Any) -> Any:
    """int f u over a line, by a quadrature far finer than the space, in the order of ascending nodes."""
    basis = Basis(MeshLine(lines), LINE[degree](), intorder=14)
    form = LinearForm(lambda v, w: function(w.x[0]) * v, dtype=np.complex128)
    return form.assemble(basis)[np.argsort(basis.doflocs[0])]


def shapes(nodes: Any, degree: int, lines: Any) -> tuple[Any, Any, Any]:
    """Points and weights of Gauss quadrature on every cell, and the values of every nodal function there."""
    gauss, weights = np.polynomial.legendre.leggauss(6)
    x = ((lines[1:] + lines[:-1])[:, None] / 2 + np.diff(lines)[:, None] / 2 * gauss).ravel()
    w = (np.diff(lines)[:, None] / 2 * weights).ravel()
    values = np.zeros((x.size, nodes.size))
    for cell in range(len(lines) - 1):
        local = nodes[cell * degree : (cell + 1) * degree + 1]
        rows = slice(cell * gauss.size, (cell + 1) * gauss.size)
        for i, node in enumerate(local):
            others = np.delete(local, i)
            values[rows, cell * degree + i] = np.prod((x[rows, None] - others) / (node - others), axis=1)
    return x, w, values


def errors(steps: int, degree: int, problem: Manufactured = PROBLEM, y_gb: complex | None = None) -> tuple[float, float]:
    """(L2 error, |a(e, e)|) of the Galerkin solution on `steps` cells per direction and layer, relative."""
    p = problem
    x, y = (np.linspace(0, w, 2 * steps + 1) for w in p.width)
    ends = np.append(0.0, np.cumsum(p.layers))
    layers = [np.linspace(a, b, steps + 1) for a, b in pairwise(ends)]
    x0, y0, x1, y1 = p.contact
    middle = [(lines[1:] + lines[:-1]) / 2 for lines in (x, y)]
    touched = np.outer((middle[0] > x0) & (middle[0] < x1), (middle[1] > y0) & (middle[1] < y1)).astype(float)
    plane, line = PlanarSpace.build(x, y, touched, degree), VerticalSpace.build(layers, degree)
    top, bottom = line.row(0), line.row(-1)
    between = p.y_gb if y_gb is None else y_gb
    matrix = p.kappa * (kron(plane.stiffness, line.mass) + kron(plane.mass, line.stiffness))
    matrix += kron(plane.mass, between * line.jumps + p.y_ce * bottom)
    matrix += kron(p.y_contact * plane.contact + p.y_pore * plane.pore, top)

    whole = [
        [load(lines, degree, lambda at, n=n, t=t: p.lateral(at, at)[t][n]) for t in TERMS] for n, lines in enumerate((x, y))
    ]
    part = [
        [load(lines, degree, lambda at, n=n, t=t, e=e: p.lateral(at, at)[t][n] * (at < e)) for t in TERMS]
        for n, (lines, e) in enumerate(((x, x1), (y, y1)))
    ]
    right = np.zeros(matrix.shape[0], dtype=np.complex128)
    first, last = np.zeros(line.size), np.zeros(line.size)
    first[0], last[-1] = 1.0, 1.0
    for t in TERMS:
        inside = [load(lines, degree, lambda at, n=n, t=t: p.source(at, n, t)) for n, lines in enumerate(layers)]
        all_over, touching = np.kron(whole[0][t], whole[1][t]), np.kron(part[0][t], part[1][t])
        right += np.kron(all_over, np.concatenate(inside) + p.counter() * last)
        right += np.kron(p.electrode(p.y_contact) * touching + p.electrode(p.y_pore) * (all_over - touching), first)
    phi = spsolve(matrix.tocsc(), right)

    at_x, at_y = (shapes(space.nodes, degree, lines) for space, lines in ((plane.x, x), (plane.y, y)))
    w_x, w_y = ([p.lateral(at, at)[t][n] for t in TERMS] for n, at in enumerate((at_x[0], at_y[0])))
    square, size, start = 0.0, 0.0, 0
    nodal = phi.reshape(plane.x.nodes.size, plane.y.nodes.size, line.size)
    for n, lines in enumerate(layers):
        z, w, values = shapes(line.layers[n].nodes, degree, lines)
        columns = slice(start, start + values.shape[1])
        start += values.shape[1]
        found = np.einsum("ai,bj,ck,ijk->abc", at_x[2], at_y[2], values, nodal[:, :, columns], optimize=True)
        exact = sum(np.multiply.outer(np.outer(w_x[t], w_y[t]), p.profile(z, n)) for t in TERMS)
        weight = np.multiply.outer(np.outer(at_x[1], at_y[1]), w)
        square += float(np.sum(weight * np.abs(found - exact) ** 2))
        size += float(np.sum(weight * np.abs(exact) ** 2))
    # a(phi, phi) = l(phi) of the exact potential, by the same functions; the form is symmetric, so a(e, e) is the difference
    itself = power(p)
    return np.sqrt(square / size), abs(itself - phi @ right) / abs(itself)


def power(p: Manufactured) -> complex:
    """l(phi) = int f phi + int_WE q phi + int_CE q_ce phi of the exact potential, by Gauss quadrature."""
    gauss, weights = np.polynomial.legendre.leggauss(30)

    def over(a: float, b: float) -> tuple[Any, Any]:
        return (a + b) / 2 + (b - a) / 2 * gauss, (b - a) / 2 * weights

    def plane(x1: float, y1: float) -> Any:
        (x, u), (y, v) = over(0.0, x1), over(0.0, y1)
        w = [np.outer(p.lateral(x, y)[t][0], p.lateral(x, y)[t][1]) for t in TERMS]
        return np.array([[np.einsum("a,b,ab,ab", u, v, w[s], w[t]) for t in TERMS] for s in TERMS])

    total, start = 0j, 0.0
    whole, contact = plane(*p.width), plane(*p.contact[2:])
    for n, thickness in enumerate(p.layers):
        z, w = over(start, start + thickness)
        start += thickness
        total += sum(whole[s, t] * np.sum(w * p.source(z, n, s) * p.profile(z, n)) for s in TERMS for t in TERMS)
    top, end = p.profile(np.zeros(1), 0)[0], p.profile(np.array([p.height]), len(p.layers) - 1)[0]
    face = p.electrode(p.y_contact) * contact + p.electrode(p.y_pore) * (whole - contact)
    return complex(total + top * face.sum() + end * p.counter() * whole.sum())


@pytest.mark.parametrize(("degree", "steps"), [(1, (3, 6)), (2, (2, 4))])
def test_jumping_potentials_are_found_with_order_k_plus_1_and_energies_with_2_k(degree: int, steps: tuple[int, ...]) -> None:
    found = np.array([errors(n, degree) for n in steps])
    orders = np.log2(found[-2] / found[-1])
    # smooth in every layer, with contact edges on lines of the mesh: nothing lowers the order; a tenth for the next term
    assert orders == pytest.approx([degree + 1, 2 * degree], abs=0.1)
    assert found[-1].max() < 1e-2


def test_a_jump_of_two_parts_in_a_hundred_too_much_is_seen() -> None:
    right, wrong = errors(4, 2)[0], errors(4, 2, y_gb=1.02 * PROBLEM.y_gb)[0]
    assert wrong > 10 * right
