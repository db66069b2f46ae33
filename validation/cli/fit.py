"""`fem-constriction fit`: a circuit for any spectrum, whether it obeys the Kramers-Kronig relations, its relaxation times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Group
from rich.text import Text

from fem_constriction.errors import InputError
from fem_constriction.files import json_text, write_text
from fem_constriction.fitting.coordinates import Limits, canonical, limits_of, parameters
from fem_constriction.fitting.drt import DRT, distribution
from fem_constriction.fitting.extraction import Extraction, fit_spectrum
from fem_constriction.fitting.kramers_kronig import KramersKronig, densest
from fem_constriction.fitting.naming import Data
from fem_constriction.fitting.noise import noise_of, statistics
from fem_constriction.fitting.notation import parse
from fem_constriction.fitting.result import MISFIT
from fem_constriction.fitting.series_fit import fit_series
from fem_constriction.pictures.colours import DATA
from fem_constriction.pictures.words import amount
from fem_constriction.spectra import sweeps
from fem_constriction.spectra.spectrum import Spectrum
from validation.cli.cell_fit import fit_of_cell
from validation.cli.fit_each import fit_of_each
from validation.show import report, terminal

#: Of the highest gamma: what a distribution that ends falls below at the longest relaxation time.
OPEN = 1e-2

#: Spectra with noise that the band of a distribution is made of.
BANDS = 30


def fit(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="A spectrum: CSV, or an instrument's file. Several: a table of all, or with --circuit one fit.",
            show_default=False,
        ),
    ],
    circuit: Annotated[
        str | None,
        typer.Option(
            help="R0-L0-p(R1,C1)-p(R2-Wo2,CPE2), pyimpspec's R(RC), 1D-PM, 1D-PM-modified, 1D-FM or 1D-FM-extended.",
            show_default="as many arcs as are seen",
        ),
    ] = None,
    sweep: Annotated[
        str | None, typer.Option(metavar="N or NAME", help="Which of several sweeps in the file, the first is 1.")
    ] = None,
    fix: Annotated[
        list[str] | None, typer.Option(metavar="R1=90", help="A parameter that is known; may be given several times.")
    ] = None,
    bound: Annotated[
        list[str] | None, typer.Option(metavar="CPE1_n=0.7:1", help="Bounds of a parameter; may be given several times.")
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(metavar="R0,CPE1_n", help="Parameters that are the same in several files, which are fitted together."),
    ] = None,
    cell: Annotated[
        list[Path] | None,
        typer.Option(metavar="CELL.toml", help="Fit this cell instead of a circuit; one for all files, or one each."),
    ] = None,
    free: Annotated[
        str | None,
        typer.Option(metavar="KEY,...", help="Keys of the cell that are fitted, such as working_electrode.contact.fraction."),
    ] = None,
    each: Annotated[str | None, typer.Option(metavar="KEY,...", help="Those of them that every file has for itself.")] = None,
    prior: Annotated[
        list[str] | None, typer.Option(metavar="KEY='VALUE +- SIGMA'", help="What is known of a key beforehand.")
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(metavar="'0.785 cm2'", help="Of the electrode that was measured.", show_default="the cell's own"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Cross-check the fitted cell by both backends before it is stated.")
    ] = True,
    noise: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of Re and Im over |Z|.", show_default="from repeats, or Kramers-Kronig residuals"
        ),
    ] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="Intervals by profile likelihood.")] = False,
    bootstrap: Annotated[int, typer.Option(metavar="N", help="Intervals by N fits to spectra with noise.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR or FILE.json", help="Folder for fit.json, drt.csv and plots, or a JSON file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable result on stdout, and nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no tables: files and exit status only.")] = False,
) -> int:
    """Fit a circuit of numbered arcs, or a cell (--cell), to any spectrum; exit status 1 if it does not describe it."""
    if cell:
        if stray := [name for name, given in (("--circuit", circuit), ("--share", share)) if given]:
            raise InputError(key=stray[0], when="with --cell", why="one of the two is fitted")
        return fit_of_cell(
            files, cell, free, each=each, fix=fix or [], bound=bound or [], prior=prior or [], area=area, noise=noise,
            sweep=sweep, intervals=intervals, check=check, out=out, as_json=as_json, quiet=quiet,
        )  # fmt: skip
    if stray := [name for name, given in (("--free", free), ("--each", each), ("--prior", prior), ("--area", area)) if given]:
        raise InputError(key=stray[0], when="without --cell", remedy="give the cell whose keys are fitted, --cell CELL.toml")
    if len(files) > 1 and not (circuit or share or fix or bound):
        return fit_of_each(files, sweep, noise, out, as_json, quiet)
    if len(files) > 1 or share:
        return _series(files, circuit, fix or [], bound or [], share, sweep, out, as_json, quiet)
    file = files[0]
    data, notes = _prepared(Spectrum.load(file), file, sweep)
    folder = None if out is None or out.suffix == ".json" else out
    if out is not None:
        terminal.check_folder(out.parent if folder is None else folder, [])
    with terminal.progress([], f"fit of {file.name}", quiet):
        limits = _limits(circuit, fix or [], bound or [])
        task = lambda: fit_spectrum(data, circuit, limits=limits, noise=noise, profile=intervals, bootstrap=bootstrap)  # noqa: E731
        found = terminal.named("--circuit", terminal.aside(task))
        tested, times = terminal.aside(lambda: (densest(data), _times(data, noise)))()
    agreement = data.provenance.get("agreement") if isinstance(data.provenance, dict) else None
    checked = isinstance(agreement, dict) and agreement.get("verdict") == "agree"
    remark = f"cross-checked: {agreement['summary']}" if checked and agreement else "not cross-checked"
    beside = {
        "file": file.name,
        "cross_checked": checked,
        "remark": remark,
        "fits": found.fits,
        **_record(tested, times),
        "prepared": notes,
        "measured": data.provenance.get("measured") if isinstance(data.provenance, dict) else None,
    }
    record = {**beside, **found.as_dict()}
    if out is not None:
        write_text(out if folder is None else folder / "fit.json", found.written(beside))
    if folder is not None:
        _write(folder, f"{file.name}, {remark.partition(':')[0]}", data, found, times, file.stem)
    if not (quiet or as_json):
        lines = [f"{file.name}: {remark}", *_told(record["measured"]), *(f"{note[0].upper()}{note[1:]}." for note in notes)]
        terminal.console().print("\n".join(lines), markup=False)
    terminal.show(record, lambda: Group(*report.arcs(found), *_quality(found), *_said(tested, times)), as_json, quiet)
    if not found.fits:
        left = f"{found.residual:.0%}" if found.residual is not None and found.residual > MISFIT else f"{found.residual:.1e}"
        above = "" if left.endswith("%") else ", which is above the noise"
        terminal.say(f"{file.name}: the circuit does not fit, {left} of |Z| are left{above}")
    return 0 if found.fits else 1


def _limits(circuit: str | None, fix: Sequence[str], bound: Sequence[str]) -> Limits | None:
    """What is fixed and bounded. Raises InputError without a circuit, of which a parameter could be."""
    if not (fix or bound):
        return None
    if circuit is None:
        raise InputError("--fix and --bound need --circuit, whose parameters they name")
    return limits_of(fix, bound, parse(circuit))


def _series(
    files: Sequence[Path],
    circuit: str | None,
    fix: Sequence[str],
    bound: Sequence[str],
    share: str | None,
    sweep: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """One circuit for several files, some of its parameters the same in all."""
    if circuit is None:
        raise InputError("several files are fitted together with --circuit, and --share R0,... for what is the same in all")
    topology = parse(circuit)
    shared = [canonical(name, topology) for name in (share or "").split(",") if name.strip()]
    loaded = [_prepared(Spectrum.load(file), file, sweep)[0] for file in files]
    data = [Data.of(each.frequency, each.impedance, None) for each in loaded]
    with terminal.progress([], f"fit of {len(files)} files", quiet):
        found = terminal.aside(lambda: fit_series(data, topology, shared, _limits(circuit, fix, bound)))()
    units = parameters(topology)
    rows, records, fits = [], [], True
    for file, each, errors, single in zip(files, found.fits, found.errors, found.alone, strict=True):
        noise = noise_of(loaded[files.index(file)])
        quality = statistics(topology.text, each.cost, each.weighted.size, each.varied, each.largest, noise)
        fits &= each.largest <= MISFIT and not quality.get("above_noise", False)
        values: dict[str, dict[str, Any]] = {
            name: {"value": value, "stderr": errors[name] * (1.0 if name.endswith("_alpha") else value), "unit": units[name]}
            for name, value in each.values().items()
        }
        records.append({"file": file.name, "values": values, "residual": each.largest, "alone": single, **quality})
        rows += [
            (
                file.name if not n else "",
                name,
                amount(v["value"], str(v["unit"])),
                amount(v["stderr"], str(v["unit"])),
            )
            for n, (name, v) in enumerate(values.items())
        ]
    record = {"circuit": topology.text, "shared": shared, "fits": fits, "files": records}
    if out is not None:
        write_text(out if out.suffix == ".json" else out / "fit.json", json_text(record) + "\n")
    said = f"{', '.join(shared) or 'nothing'} shared; not cross-checked"
    terminal.show(
        record,
        lambda: Group(
            report.table(f"{topology.text}: {said}", ("file", "parameter", "value", "standard error"), rows, left=2),
            *(
                Text(f"{each['file']}: misfit {each['residual']:.1e} |Z| at most, {each['rms']:.1e} in the mean.")
                for each in records
            ),
        ),
        as_json,
        quiet,
    )
    if not fits:
        terminal.say("the circuit does not fit all of the files to their noise")
    return 0 if fits else 1


def _quality(found: Extraction) -> list[Text]:
    """Circuit, information criteria and noise; intervals of the parameters where they were asked for."""
    known = found.statistics
    if not known:
        return []
    noise = known["noise"]
    size = f"noise {noise['size']:.1e} |Z| ({noise['source']})" if noise else "noise unknown"
    lines = [
        f"{known['circuit']}: {known['parameters']} parameters, {known['data']} data, {known['rms']:.1e} |Z| in the mean, "
        f"{size}; AIC {known['AIC']:.1f}, BIC {known['BIC']:.1f}."
    ]
    for name, each in known.get("values", {}).items():
        for word in ("profile", "bootstrap"):
            if word in each:
                ends = "; ".join(f"{float(level):.0%} {low:.5g} to {high:.5g}" for level, (low, high) in each[word].items())
                lines.append(f"{name} = {each['value']:.5g} {each['unit']}, {word}: {ends}.")
    return [Text(line) for line in lines]


def _told(measured: dict[str, Any] | None) -> list[str]:
    """What the instrument says, in a line: its format, area and temperature, and the first line of the comments."""
    if not measured:
        return []
    said = [str(measured[key]) for key in ("format", "sweep", "area", "temperature", "note") if key in measured]
    comments = str(measured.get("comments", "")).splitlines()[:1]
    return [", ".join([*said, *(f'"{line[:80]}"' for line in comments)])]


def _prepared(data: Spectrum, file: Path, number: str | None) -> tuple[Spectrum, tuple[str, ...]]:
    """One spectrum, without repeats, and what was done to make it one."""
    try:
        chosen = sweeps.sweep(data, number)
        found, notes = sweeps.prepared(chosen)
    except InputError as error:
        hint = "" if number is not None or len(sweeps.parts(data)) == 1 else "--sweep"
        raise error.at(file).vary(note=hint) from None
    return found, (f"sweep {number} of {len(sweeps.parts(data))}",) * (number is not None) + notes


def _times(data: Spectrum, noise: float | None) -> DRT:
    """The distribution with its band; a measured spectrum's noise is not made peaks of."""
    known = None if data.uncertainty is not None and noise is None else noise_of(data, noise)
    return distribution(data, noise=None if known is None else known.size, bands=BANDS)


def _record(tested: KramersKronig, times: DRT) -> dict[str, Any]:
    keys = ("largest", "per_decade", "floor", "unknowns", "data", "enough", "reason")
    peaks = [{"tau_s": peak.tau, "R_ohm": peak.resistance, "beyond_the_data": peak.beyond} for peak in times.peaks()]
    found = {"peaks": peaks, "lambda_per_ohm2": times.lambda_, "width_decades": times.width}
    found |= {"r_inf_ohm": times.r_inf, "L_H": times.inductance}
    found |= {"C_F": times.capacitance} if np.isfinite(times.capacitance) else {}
    return {
        "kramers_kronig": {key: getattr(tested, key) for key in keys},
        "drt": found,
    }


def _said(tested: KramersKronig, times: DRT) -> list[Text]:
    """The test and the peaks, in a sentence each."""
    if tested.enough:
        test = (
            f"Kramers-Kronig: {tested.per_decade} RC elements per decade leave up to {tested.largest:.1e} |Z|; of a spectrum "
            f"that obeys the relations, up to {tested.floor:.1e}."
        )
    else:
        test = f"Kramers-Kronig: not tested, {tested.reason}."
    words = {True: ", beyond the data", False: ""}
    peaks = "; ".join(f"{amount(p.resistance, 'ohm')} at {amount(p.tau, 's')}{words[p.beyond]}" for p in times.peaks())
    found = [Text(test), Text(f"Distribution of relaxation times, peaks: {peaks or 'none'}.")]
    if times.gamma[-1] > OPEN * times.gamma.max(initial=0.0):
        found.append(
            Text(
                "The distribution does not end within the data: the spectrum blocks direct current, or goes on below its band."
            )
        )
    return found


def _write(folder: Path, title: str, data: Spectrum, found: Extraction, times: DRT, name: str) -> None:
    from fem_constriction.pictures.plane import impedance_plane
    from fem_constriction.pictures.printed import write
    from validation.show.pictures.drt import relaxation_times

    columns = [times.tau, times.gamma, *(each for each in (times.low, times.high) if each is not None)]
    rows = "".join(",".join(map(repr, row)) + "\n" for row in np.column_stack(columns).tolist())
    head = "tau/s,gamma/Ohm" + ",low/Ohm,high/Ohm" * (len(columns) > 2)
    write_text(folder / "drt.csv", f"{head}\n{rows}")
    write(impedance_plane({name: data}, found, looks=(DATA,), title=title), folder)
    write(relaxation_times({"DRT": times}, found, title=title), folder)
