"""sum over processes of y_p L_p x = b by cell-centred differences on graded grids: a backend that hands over matrices."""

import numpy as np
from scipy import sparse

from fem_constriction.grids.grid import Grading, Grid, family_member, uniform
from fem_constriction.problem.problem import Problem
from fem_constriction.reduction.assembly import Assembly


class PlainVoxels:
    """Nodes at voxel centres and on both sides of every plane, one link per half voxel and per film."""

    name = "plain"
    bound = "upper"  # Kirchhoff's currents are divergence-free currents of the cell, and their energy here is larger
    order = 2.0  # on grids that are graded towards the contact's edges

    def grid(self, problem: Problem, level: int) -> Grid:
        return family_member(problem, Grading(exponent=2.5, steps=2), level)

    def uniform(self, problem: Problem, resolution: int) -> Grid:
        return uniform(problem, resolution)

    def unknowns(self, problem: Problem, grid: Grid) -> int:
        nx, ny, nz = grid.shape
        return nx * ny * (nz + 2 * len(grid.layers)) + 1

    def assemble(self, problem: Problem, grid: Grid) -> Assembly:
        processes = problem.places
        dx, dy = np.diff(grid.x), np.diff(grid.y)
        area = grid.copies * np.outer(dx, dy)
        rows = sum(len(lines) + 1 for lines in grid.layers)  # of each layer its top, its voxels, its bottom
        node = np.arange(rows * area.size).reshape(rows, *area.shape)
        metal, ground = node.size, node.size + 1
        if "charge_transfer" not in processes:
            node[0][grid.contact] = metal
        if "counter_electrode" not in processes:
            node[-1] = ground
        links: dict[str, list[tuple]] = {process: [] for process in processes}

        def link(process, a, b, conductance):
            if process in processes:
                links[process].append([np.ravel(each) for each in np.broadcast_arrays(a, b, conductance)])

        link("charge_transfer", metal, node[0][grid.contact], area[grid.contact])
        link("pore", metal, node[0][~grid.contact], area[~grid.contact])
        row = 0
        for number, lines in enumerate(grid.layers):
            if number:
                link("grain_boundary", node[row - 1], node[row], area)
            heights = np.diff(lines)
            steps = np.concatenate([heights[:1], heights[1:] + heights[:-1], heights[-1:]]) / 2
            for step in steps:
                link("bulk", node[row], node[row + 1], area / step)
                row += 1
            for height, voxels in zip(heights, node[row - len(heights) : row], strict=True):
                across_x = grid.copies * height * dy / ((dx[1:] + dx[:-1])[:, None] / 2)
                across_y = grid.copies * height * dx[:, None] / ((dy[1:] + dy[:-1]) / 2)
                link("bulk", voxels[:-1], voxels[1:], across_x)
                link("bulk", voxels[:, :-1], voxels[:, 1:], across_y)
            row += 1
        link("counter_electrode", node[-1], ground, area)

        known = np.unique(np.append(node, [metal, ground]))  # without nodes that are metal or ground; V is last but one
        matrices = {process: _laplacian(parts, known, len(known) - 1) for process, parts in links.items()}
        description = {"backend": self.name, "grid": grid.name, "cells": grid.shape, "unknowns": len(known) - 1}
        return Assembly(operators=matrices, bound=self.bound, description=description)


def _laplacian(parts, known, size):
    """sum over links of g (e_a - e_b)(e_a - e_b)', ground (the last node) left out."""
    a, b, conductance = (np.concatenate(column) for column in zip(*parts, strict=True))
    count = np.arange(len(a))
    difference = sparse.csr_array(
        (np.repeat([1.0, -1.0], len(a)), (np.tile(count, 2), np.searchsorted(known, np.concatenate([a, b])))),
        shape=(len(a), size + 1),
    )[:, :size]
    return sparse.csr_array(difference.T @ sparse.diags_array(conductance) @ difference)
