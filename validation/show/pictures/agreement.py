"""|Z_1 - Z_2|/|Z| over frequency, beside what the uncertainties allow and the tolerance, with the verdict of each point."""

from __future__ import annotations

import numpy as np

from fem_constriction.pictures.colours import BACKENDS, DISCS, VERDICTS
from fem_constriction.pictures.picture import FLOOR, Axis, Mark, Note, Panel, Picture, Rule, Series, cycled, plain, shown
from fem_constriction.pictures.words import amount
from validation.gate.result import Result


def agreement(result: Result) -> Picture:
    """The difference, its allowance, each backend's u/|Z|, the guaranteed radius and the tolerance, log-log."""
    found = result.agreement
    f = found.frequency
    size = np.min([np.abs(limit.impedance) for limit in found.limits.values()], axis=0)
    gap, allowed = found.difference / size, found.allowance / size
    lowest, highest = [gap], [gap, allowed]
    marks: list[Mark] = [
        Rule(at=found.tolerance, label=f"tolerance {found.tolerance:g}"),
        Series(x=f, y=shown(allowed), label="\N{GREEK CAPITAL LETTER SIGMA}*u*/|*Z*|, allowed difference"),
    ]
    for number, (name, limit) in enumerate(found.limits.items()):
        u = np.zeros(f.size) if limit.uncertainty is None else limit.uncertainty / size
        colour = cycled(BACKENDS, number)[0]
        marks.append(Series(x=f, y=shown(u), label=f"*u*/|*Z*| of {plain(name)}", colour=colour, line="dashdot", width=0.9))
        lowest.append(u)
    if found.discs is not None:
        reach = found.discs.radius / size
        marks.append(Series(x=f, y=shown(reach), label="guaranteed radius", colour=DISCS, width=1.1))
        highest.append(reach)
    marks.append(Series(x=f, y=shown(gap), colour="#999999", width=0.7))
    for verdict, (colour, marker) in VERDICTS.items():
        at = np.flatnonzero(found.verdicts == verdict)
        if at.size:
            says = [
                f"{verdict}\nf = {amount(float(f[k]), 'Hz')}\ndifference {gap[k]:.2e} |Z|\nallowed {allowed[k]:.2e} |Z|\n"
                f"tolerance {found.tolerance:.2e} |Z|"
                for k in at
            ]
            x, y, label = f[at], shown(gap[at]), f"difference: {verdict}"
            marks.append(Series(x=x, y=y, label=label, colour=colour, line="", marker=marker, filled=True, told=says))
    if not gap.all():
        marks.append(Note(text="0 is drawn at 1e-16", x=0.01, y=0.02, side="inside"))
    ends = min(float(shown(part).min()) for part in lowest) / 3, 3 * max(found.tolerance, *(float(p.max()) for p in highest))
    counts = ", ".join(f"{verdict} {int(np.sum(found.verdicts == verdict))}" for verdict in VERDICTS)
    caption = (
        "Difference of the backends' limits at each frequency (points, with the verdict) against what their uncertainties "
        "allow. Agree: below the black line, and that below the dashed one."
    )
    return Picture(
        name="agreement",
        rows=[[Panel(marks=marks, x=Axis(label="frequency / Hz", scale="log"),
                     y=Axis(label="relative to |*Z*|", scale="log", range=ends))]],
        title=result.heading,
        caption=caption if gap.all() else f"{caption} A difference of zero is drawn at {FLOOR:g}.",
        description=f"Relative difference of {' and '.join(found.limits)} over frequency, at most {gap.max():.1e}, against "
        f"the allowed difference, at most {allowed.max():.1e}, and the tolerance {found.tolerance:g}. Verdicts: {counts}.",
        pixels=460,
    )  # fmt: skip
