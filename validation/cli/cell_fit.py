"""`fem-constriction fit FILE... --cell CELL.toml --free KEY,...`: the cell itself, fitted to measured spectra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Group
from rich.text import Text

from fem_constriction.cell.cell import Cell
from fem_constriction.cell.units import parse
from fem_constriction.errors import InputError
from fem_constriction.files import write_text
from fem_constriction.inverse.cell_fit import fit_cell
from fem_constriction.inverse.result import CellFit
from fem_constriction.pictures.words import amount
from fem_constriction.spectra import sweeps
from fem_constriction.spectra.spectrum import Spectrum
from validation.gate.optimum import checked
from validation.show import report, terminal


def fit_of_cell(
    files: Sequence[Path],
    cells: Sequence[Path],
    free: str | None,
    *,
    each: str | None,
    fix: Sequence[str],
    bound: Sequence[str],
    prior: Sequence[str],
    area: str | None,
    noise: float | None,
    sweep: str | None,
    intervals: bool,
    check: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Fit, say and write; exit status 1 where the cell does not describe the data, or where backends do not agree on it."""
    keys = _listed(free)
    if not keys:
        raise InputError(key="--free", why="a fit of a cell needs the keys that it varies", remedy=_EXAMPLE)
    known = dict(_assigned("--fix", text) for text in fix)
    described = [Cell.load(file) for file in cells]
    described = [_fixed(cell, known) for cell in described]
    spectra = [_loaded(file, sweep) for file in files]
    folder = None if out is None or out.suffix == ".json" else out
    if out is not None:
        terminal.check_folder(out.parent if folder is None else folder, [])
    if area is None and (strange := _other_areas(files, spectra, described)):
        terminal.say(strange)
    with terminal.progress([], "fit of the cell", quiet):
        found = terminal.aside(
            lambda: fit_cell(
                spectra,
                described if len(described) > 1 else described[0],
                keys,
                each=_listed(each),
                bounds=dict(_assigned("--bound", text) for text in bound),
                priors=dict(_assigned("--prior", text) for text in prior),
                area=area,
                noise=noise,
                check=checked if check else False,
                intervals=intervals,
            )
        )()
    beside = {"files": [file.name for file in files], "cell_files": [file.name for file in cells]}
    record = {**beside, **found.as_dict()}
    if out is not None:
        write_text(out if folder is None else folder / "fit.json", found.written(beside))
    if folder is not None:
        _write(folder, files, found)
    terminal.show(record, lambda: _said(files, found), as_json, quiet)
    if not found.done:
        left = f"{found.largest:.0%} of |Z| are left at most" if not found.fits else found.remark
        terminal.say(f"{', '.join(file.name for file in files)}: {'the cell does not fit, ' * (not found.fits)}{left}")
    return 0 if found.done else 1


def _other_areas(files: Sequence[Path], spectra: Sequence[Spectrum], cells: Sequence[Cell]) -> str:
    """A remark on the first file that states another area than its cell has; "" where none does."""
    for file, each, cell in zip(files, spectra, cells if len(cells) > 1 else [*cells] * len(files), strict=False):
        stated = str((each.provenance.get("measured") or {}).get("area", ""))
        try:
            size = parse(stated, "m^2") if stated else cell.area
        except InputError:
            continue
        if abs(size / cell.area - 1) > _SAME:
            face = f"{1e4 * cell.area:.3g} cm^2"
            told = f"the file says that its electrode has {stated}, and the cell's face has {face}: without --area the measured"
            return f"{file.name}: {told} impedance is taken for that of {face}; if the file is right, add --area '{stated}'"
    return ""


_SAME = 0.01  # relative difference of areas that nobody means
_EXAMPLE = "such as --free working_electrode.contact.fraction,electrolyte.conductivity"


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _assigned(option: str, text: str) -> tuple[str, str]:
    key, sign, given = text.partition("=")
    if not sign or not given.strip():
        raise InputError(key=option, value=text, allowed='a key and what is known of it, such as key="1 mS/cm"')
    return key.strip(), given.strip()


def _fixed(cell: Cell, known: dict[str, str]) -> Cell:
    values: dict[str, object] = {}
    for key, given in known.items():
        try:
            values[key] = float(given)
        except ValueError:
            values[key] = given
    return cell.vary(values) if values else cell


def _loaded(file: Path, number: str | None) -> Spectrum:
    try:
        return sweeps.sweep(Spectrum.load(file), number)
    except InputError as error:
        raise error.at(file).vary(note="--sweep" if number is None else "") from None


def _said(files: Sequence[Path], found: CellFit) -> Group:
    rows = []
    for name, value in found.values.items():
        parts = (value.nominal, value.discretisation, value.model)
        shown = [amount(part, value.unit) if value.unit in ("ohm", "F") else _plain(part) for part in parts]
        rows.append((name, f"{value.value:.5g}", *shown, value.unit))
    columns = ("key", "value", "noise", "solver", "check", "unit")
    table = report.table(", ".join(file.name for file in files), columns, rows)
    skip = 1 + len(found.values)
    return Group(Text(found.lines()[0]), table, *(Text(line) for line in found.lines()[skip:]))


def _plain(part: float | None) -> str:
    return "not known" if part is None else f"{part:.1e}"


def _write(folder: Path, files: Sequence[Path], found: CellFit) -> None:
    """Fitted cells, fitted spectra and pictures, numbered where there are several."""
    from fem_constriction.pictures.printed import write

    for n, (file, cell, z) in enumerate(zip(files, found.cells, found.fitted, strict=True)):
        number = f"_{n + 1}" if len(files) > 1 else ""
        cell.save(folder / f"cell{number}.toml")
        z.save(folder / f"fitted{number}.csv")
        write(replace(found.picture(n, file.name), name=f"cell_fit{number}"), folder)
