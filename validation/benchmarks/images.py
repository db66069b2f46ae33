"""Seconds, iterations and peak memory of one Voronoi polycrystal's spectrum against its number of voxels.

python -m validation.benchmarks.images 48 100 216
python -m validation.benchmarks.images --both 28 48

With --both the elements are timed beside the network, one after the other in the same process, to the same 1e-6 of Z.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import psutil

from fem_constriction.cell.cell import Cell
from fem_constriction.errors import InputError
from fem_constriction.geometry.grains import voronoi
from fem_constriction.grids.image_grid import image_grid
from fem_constriction.problem.problem import Problem
from fem_constriction.processes.of_cell import admittances
from fem_constriction.reduction.projection import reduce
from fem_constriction.solving.backends import BUILT_IN, backend_named
from fem_constriction.solving.refinement import angular_band
from fem_constriction.spectra.frequencies import frequencies_taken
from network.image.image_network import image_assembly, image_voxels
from validation.benchmarks.harness import Clock

#: 1 mHz to 1 GHz, 61 frequencies.
FREQUENCIES = np.geomspace(1e-3, 1e9, 61)


def polycrystal(voxels: int, grains: int = 200, seed: int = 1) -> Cell:
    """Return the paper's figure 2 cell, 50 um wide and thick, with Voronoi grains of so many voxels per edge, 25 % contact.

    Raises InputError unless voxels is a multiple of 4, so that the contact's edges lie between voxels.
    """
    if voxels % 4:
        raise InputError(key="voxels", value=voxels, allowed="a multiple of 4, so that the contact's edges lie between voxels")
    boundary = {"thickness": "10 nm", "conductivity": "5.97 uS/cm", "relative_permittivity": 150}
    structure = {"generator": "voronoi", "grains": grains, "seed": seed, "voxel": 50e-6 / voxels, "boundary": boundary}
    described: dict[str, Any] = {
        "geometry": {"width": "50 um", "thickness": "50 um"},
        "electrolyte": {"conductivity": "0.46 mS/cm", "relative_permittivity": 150, "microstructure": structure},
        "working_electrode": {
            "contact": {"shape": "square", "fraction": 0.25},
            "charge_transfer": {"resistance": "1 ohm cm^2", "capacitance": "885 uF/cm^2"},
            "pore": {"capacitance": "8.85 uF/cm^2"},
        },
    }
    return Cell(**described)


def bench(voxels: int, grains: int = 200, frequencies: Any = FREQUENCIES, tolerance: float | None = None) -> dict[str, Any]:
    """Return what the spectrum of one polycrystal takes, from its labels to Z at all frequencies: seconds, iterations, memory.

    peak_bytes: of the process up to now where the system tells (so one size per process, or ascending sizes), else as it is at
    the end. tolerance: relative error of Z that the reduced model is made for (1e-6).
    """
    cell, points = polycrystal(voxels, grains), frequencies_taken(frequencies)
    grid, clocks = image_grid(cell), [Clock()]
    labels = voronoi((voxels, voxels, voxels), grains, 1)
    clocks.append(Clock())
    links = image_voxels(cell, labels, grid)
    del labels
    clocks.append(Clock())
    model = reduce(image_assembly(links, {}), admittances(cell), angular_band(points), tolerance=tolerance)
    z = model.impedance(2j * np.pi * points)
    wall = -np.diff([*(clock.seconds for clock in clocks), 0.0])
    work = clocks[1].cpu_seconds
    counted = links.counts()
    return {
        "voxels": links.unknowns - 1,
        "boundary_links": max((count for kind, count in counted.items() if "grain_boundary" in kind), default=0)
        / sum(counted.values()),
        "frequencies": points.size,
        **{f"seconds_{name}": float(each) for name, each in zip(("grains", "links", "spectrum"), wall, strict=True)},
        "seconds": float(wall[1:].sum()),
        "cpu_seconds": work,
        "peak_bytes": _peak(),
        **model.statistics,
        "R_ohm": model.resistance(),
        "Z_ohm": [[float(value.real), float(value.imag)] for value in z[:: max(1, points.size // 4)]],
    }


def both(voxels: int, grains: int = 200, frequencies: Any = FREQUENCIES, tolerance: float = 1e-6) -> dict[str, Any]:
    """Return what the spectrum of one polycrystal takes on both backends, and how many times the network's elements take."""
    cell, points = polycrystal(voxels, grains), frequencies_taken(frequencies)
    problem, found = Problem.of(cell), dict[str, Any]()
    stated = "unknowns", "shifts", "iterations", "iterations_in_all", "projection_error"
    for name in BUILT_IN:
        backend, clock = backend_named(name), Clock()
        assembly = backend.assemble(problem, backend.grid(problem, 0))
        prepared = clock.cpu_seconds
        model = reduce(assembly, problem.places, angular_band(points), tolerance=tolerance)
        z = model.impedance(2j * np.pi * points)
        found[name] = {
            "cpu_seconds": clock.cpu_seconds,
            "of_it_preparation": prepared,
            **{key: model.statistics[key] for key in stated},
            "Z_ohm": [[float(value.real), float(value.imag)] for value in z[:: max(1, points.size // 4)]],
        }
    ratio = found["fem"]["cpu_seconds"] / found["network"]["cpu_seconds"]
    return {"voxels": voxels**3, **found, "fem_over_network": ratio, "peak_bytes": _peak()}


def _peak() -> int:
    try:
        import resource
    except ImportError:  # not a Unix
        return int(psutil.Process().memory_info().rss)
    scale = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale)


if __name__ == "__main__":
    sizes = [each for each in sys.argv[1:] if each != "--both"]
    for size in sizes:
        found = bench(int(size)) if len(sizes) == len(sys.argv) - 1 else both(int(size))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
