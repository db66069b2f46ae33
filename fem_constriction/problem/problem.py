"""div(y_bulk grad phi) = 0 between two electrodes: a Cell, lowered once into what is solved.

A `Problem` says what each place conducts (`places`), what lies between the electrodes (`body`), where the metal touches
(`face`), and for which frequencies it is to be solved (`band`). It is made at the door, once, and handed on; each of its parts
is worked out when it is first asked for, and kept. The cell stays with it for provenance and for words alone: nobody behind
the door reads its sections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

import numpy as np

from fem_constriction.cell.cell import Cell, CellLike
from fem_constriction.errors import InputError
from fem_constriction.problem.bodies import Body, body_of
from fem_constriction.problem.faces import Face, faces_of
from fem_constriction.problem.kinds import Kind, with_counter
from fem_constriction.processes.elements import Admittance
from fem_constriction.processes.names import CHARGE_TRANSFER, COUNTER_ELECTRODE, COUNTER_PORE, GRAIN_BOUNDARY, PORE
from fem_constriction.processes.of_cell import direct_current, places, processes
from fem_constriction.spectra.frequencies import frequencies_taken

#: Lowest and highest angular frequency, 1/s.
Band = tuple[float, float]

#: What stands for a problem wherever one is taken: itself, a Cell, or what stands for a Cell.
Described = Union["Problem", CellLike]


@dataclass(frozen=True)
class Problem:
    """What is solved: places with their admittances, a body, a face, and a band.

    Parameters
    ----------
    cell
        The description that it was made from, for provenance and words.
    band
        Lowest and highest angular frequency in 1/s that it is solved for; None: direct current alone.
    """

    cell: Cell
    band: Band | None = None

    @classmethod
    def of(cls, described: Described) -> Problem:
        """Return the problem itself, or that of a Cell, of a dictionary with its keys, or of a cell file.

        Parameters
        ----------
        described
            A Problem, a Cell, a dictionary with the keys of a cell file, or the path of one.

        Returns
        -------
        Problem
            The same where it is one already.

        Raises
        ------
        InputError
            For anything else, and for what is wrong in the description.
        """
        return described if isinstance(described, Problem) else cls(Cell.of(described))

    def over(self, frequencies: Any) -> Problem:
        """Return the problem with the band of these frequencies; all else is shared.

        Parameters
        ----------
        frequencies
            Hz, positive, shape (n,).

        Returns
        -------
        Problem
            Of the same cell.
        """
        points = frequencies_taken(frequencies)
        return self.within((float(2 * np.pi * points.min()), float(2 * np.pi * points.max())))

    def within(self, band: Band | None) -> Problem:
        """Return the problem with this band; all else is shared.

        Parameters
        ----------
        band
            Angular frequencies from least to greatest, 1/s; None: direct current alone.

        Returns
        -------
        Problem
            Of the same cell.
        """
        if band == self.band:
            return self
        other = Problem(self.cell, band)
        vars(other).update({name: part for name, part in vars(self).items() if name not in ("cell", "band")})
        return other

    def vary(self, changes: Mapping[str, Any]) -> Problem:
        """Return the problem of the cell with other values, in the same band.

        Parameters
        ----------
        changes
            Dotted key -> value: see `Cell.vary`.

        Returns
        -------
        Problem
            Of the other cell.
        """
        return Problem(self.cell.vary(changes), self.band)

    def conducting(self, places: Mapping[str, Admittance]) -> Problem:
        """Return the problem with other admittances at some of its places; all else is shared.

        Parameters
        ----------
        places
            Place -> y(s), of places that it has.

        Returns
        -------
        Problem
            Of the same cell, which its provenance names.
        """
        other = Problem(self.cell, self.band)
        vars(other).update({name: part for name, part in vars(self).items() if name not in ("cell", "band")})
        vars(other)["places"] = {name: places.get(name, y) for name, y in self.places.items()}
        return other

    def spread(self, electrode: str) -> Problem:
        """Return the problem with an electrode's direct-current conductance spread evenly over its whole face.

        Parameters
        ----------
        electrode
            "working_electrode" or "counter_electrode".

        Returns
        -------
        Problem
            Whose electrode touches its whole face; ideal where it touched some of it ideally.
        """
        working = electrode == "working_electrode"
        ideal, covered = (self.ideal_contact, self.contact_area) if working else (self.ideal_counter, self.counter_area)
        contact, pore = (CHARGE_TRANSFER, PORE) if working else (COUNTER_ELECTRODE, COUNTER_PORE)
        transfer = None
        if not ideal:
            sizes = {contact: covered, pore: self.area - covered}
            conductance = sum(self.places[place].conductance * size for place, size in sizes.items() if place in self.places)
            heat = self.cell.temperature
            transfer = {"resistance": self.area / conductance * (1.0 if heat is None else heat.factor(contact))}
        whole = {"shape": "square", "fraction": 1.0}
        return self.vary({electrode: {"contact": whole, "charge_transfer": transfer}})

    def lowered(self) -> Problem:
        """Return the problem with its parts worked out, for threads that are going to share it."""
        _ = self.places, self.body, self.faces, self.discretisation
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: the description, not what was worked out from it."""
        return {"cell": self.cell, "band": self.band}

    @cached_property
    def processes(self) -> Mapping[str, Admittance]:
        """What each process conducts, by name, in the order of current flow: y(s); none for what is ideal, or not there."""
        return processes(self.cell)

    @cached_property
    def places(self) -> Mapping[str, Admittance]:
        """What each place conducts, by name, in the order of current flow: y(s)."""
        return places(self.cell, self.processes)

    @cached_property
    def direct_current(self) -> bool:
        """Whether direct current can flow: through a contact, or through pores that conduct."""
        return direct_current(self.cell)

    @cached_property
    def faces(self) -> tuple[Face, Face]:
        """The parts of the working and of the counter electrode's face that mirror symmetry leaves."""
        return faces_of(self.cell)

    @property
    def face(self) -> Face:
        """The part of the working electrode's face that mirror symmetry leaves."""
        return self.faces[0]

    @property
    def counter_face(self) -> Face:
        """The part of the counter electrode's face that mirror symmetry leaves."""
        return self.faces[1]

    @cached_property
    def whole_faces(self) -> tuple[Face, Face]:
        """All of both faces."""
        return faces_of(self.cell, whole=True)

    @property
    def whole_face(self) -> Face:
        """All of the working electrode's face."""
        return self.whole_faces[0]

    @cached_property
    def body(self) -> Body:
        """What lies between the electrodes."""
        return body_of(self.cell, lambda: self.faces)

    @property
    def kind(self) -> Kind:
        """The kind of cell, as backends declare what they offer of it."""
        return with_counter(self.body.kind) if self.patterned_counter else self.body.kind

    @cached_property
    def area(self) -> float:
        """A in m2."""
        return self.cell.area

    @cached_property
    def contact_fraction(self) -> float:
        """A_c/A, from 0 to 1."""
        return self.cell.contact_fraction

    @cached_property
    def contact_area(self) -> float:
        """A_c in m2."""
        return self.contact_fraction * self.area

    @cached_property
    def counter_fraction(self) -> float:
        """What the counter electrode touches of its face, from 0 to 1."""
        return self.cell.counter_touch.fraction

    @cached_property
    def counter_area(self) -> float:
        """What the counter electrode touches in m2; of a mesh, which names its faces, all of A."""
        return self.counter_fraction * self.area

    @property
    def patterned_counter(self) -> bool:
        """Whether the counter electrode leaves a part of its face free."""
        return self.counter_fraction < 1

    @cached_property
    def ideal_contact(self) -> bool:
        """Whether the electrolyte is at the metal's potential where it is touched: a contact without charge transfer."""
        return CHARGE_TRANSFER not in self.processes and self.contact_fraction > 0

    @cached_property
    def ideal_counter(self) -> bool:
        """Whether the electrolyte is at 0 V where the counter electrode touches it."""
        return COUNTER_ELECTRODE not in self.processes and self.counter_fraction > 0

    @cached_property
    def contact_sides(self) -> tuple[float, float]:
        """Extent of the contact along x and y in m."""
        return self.cell.contact_sides

    @cached_property
    def counter_sides(self) -> tuple[float, float]:
        """Extent of what the counter electrode touches along x and y in m."""
        return self.cell.counter_touch.sides

    @property
    def reference(self) -> float | None:
        """Depth of the reference electrode's plane in m, None where there is none."""
        return None if self.cell.reference is None else self.cell.reference.depth

    @property
    def observed(self) -> bool:
        """Whether the mean potential of the counter electrode's face is asked for, and no one-dimensional circuit knows it."""
        return self.reference is not None and self.patterned_counter

    @property
    def ideal_edge(self) -> bool:
        """Whether a contact without resistance ends somewhere on a face."""
        return (self.ideal_contact and self.contact_fraction < 1) or (self.ideal_counter and self.patterned_counter)

    @cached_property
    def activation_energies(self) -> Mapping[str, float]:
        """E_a of each process in J; none where the conductances hold as they are given."""
        heat = self.cell.temperature
        if heat is None:
            return {}
        own = {element.process for y in self.processes.values() for element in y.elements}
        return {process: heat.activation_energy.of(process) for process in {*heat.factors, *own}}

    @cached_property
    def features(self) -> Mapping[str, str]:
        """What it has that a backend may declare itself `unable` of, by name, with the key that it comes from."""
        part, (width, depth, _) = self.contact_area / self.area, self.body.lengths
        transfer, pore = "working_electrode.charge_transfer", "working_electrode.pore"
        pores = self.processes.get(PORE)
        found = {
            "grain boundaries": ("electrolyte.grain_boundaries", GRAIN_BOUNDARY in self.processes),
            "ideal contact": (transfer, self.ideal_contact),
            "resistive contact": (transfer, not self.ideal_contact and part > 0),
            "pores": (pore, pores is not None),
            "insulating pores": (pore, pores is None and part < 1),
            "conducting pores": (pore, pores is not None and pores.conductance > 0),
            "interphase": ("working_electrode.interphase", any(len(y.elements) > 1 for y in self.processes.values())),
            "constant-phase elements": ("cpe", any(each.cpe for y in self.processes.values() for each in y.elements)),
            "resistive counter electrode": ("counter_electrode.charge_transfer", COUNTER_ELECTRODE in self.processes),
            "oblong face": ("geometry.width", width != depth),
            "full contact": ("working_electrode.contact.fraction", part == 1),
            "no contact": ("working_electrode.contact.fraction", not self.direct_current),
        }
        return {name: key for name, (key, has) in found.items() if has}

    @cached_property
    def discretisation(self) -> str:
        """What grids and matrices depend on, as text: problems of equal text differ in materials alone."""
        described = {
            "geometry": self.cell.geometry.model_dump(mode="json"),
            "contact": self.cell.working_electrode.contact.model_dump(mode="json"),
            "layers": self.body.layers,
            "microstructure": None,
            "mesh": None,
            **self.body.described,
            "processes": list(self.places),
            "direct_current": self.direct_current,
        }
        if self.patterned_counter:
            described["counter"] = self.cell.counter_touch.contact.model_dump(mode="json")
        return json.dumps(described, sort_keys=True)

    def check_solvable(self) -> None:
        """Raise InputError where no current can enter or leave at any frequency."""
        if self.direct_current:
            return
        electrodes = (
            ("working_electrode", self.contact_fraction, PORE, "enter"),
            ("counter_electrode", self.counter_fraction, COUNTER_PORE, "leave"),
        )
        for key, fraction, place, verb in electrodes:
            pores = self.processes.get(place)
            why = f"no current can {verb} the cell at any frequency"
            if fraction == 0 and pores is None:
                raise InputError(
                    key=f"{key}.contact.fraction",
                    value=0.0,
                    when=f"without {key}.pore",
                    allowed=why,
                    remedy="give the pores a capacitance, or a fraction above 0",
                )
            if fraction == 0 and pores is not None and not (pores.stores or pores.conductance):
                raise InputError(key=f"{key}.pore.capacitance", value=0.0, unit="F/m^2", when="at contact fraction 0", why=why)


def check_solvable(described: Described) -> None:
    """Raise InputError for a cell that carries no current at any frequency."""
    Problem.of(described).check_solvable()
