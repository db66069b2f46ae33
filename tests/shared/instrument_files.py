"""Small files of the form that instruments write, made of the same three points: f 1000, 100, 10 Hz, Z as below."""

from __future__ import annotations

import json

import numpy as np

F = [1000.0, 100.0, 10.0]
Z = [5 - 1j, 8 - 4.5j, 12.25 - 0.5j]
ROWS = list(zip(F, Z, strict=True))

BIOLOGIC_HEAD = """EC-Lab ASCII FILE
Nb header lines : 14

Potentio Electrochemical Impedance Spectroscopy

Run on channel : 1 (SN 0)
Technique started on : 01/02/2020 03:04:05
Device : SP-150 (SN 0)
Comments : pellet 7
Electrode surface area : {area} cm\xb2
Cycle Definition : Charge/Discharge alternance
Mode                Single sine

"""


def comma(text: str) -> str:
    return text.replace(".", ",")


def biologic(cycles: int = 1, decimal: str = ".", rest: bool = False, columns: str = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm") -> bytes:
    rows = []
    for cycle in range(1, cycles + 1):
        if rest:
            rows.append(f"0.0000000E+000\t0.0000000E+000\t0.0000000E+000\t3.5\t{cycle}.000000000000000E+000\t")
        rows += [f"{f:.7E}\t{z.real:.7E}\t{-z.imag:.7E}\t3.5\t{cycle}.000000000000000E+000\t" for f, z in ROWS]
    head = BIOLOGIC_HEAD.format(area="1.130")
    text = head + f"{columns}\t<Ewe>/V\tcycle number\t\n" + "\n".join(rows) + "\n"
    return (text if decimal == "." else comma(text)).replace("\n", "\r\n").encode("latin-1")


def gamry(decimal: str = ".", aborted: bool = False, curves: int = 1, rows: list[tuple[float, complex]] = ROWS) -> bytes:
    table = "".join(
        f"\t{n}\t{n + 1}\t{f:.5E}\t{z.real:.5E}\t{z.imag:.5E}\t1\t{abs(z):.5E}\t{np.angle(z, deg=True):.5E}\t0\t0.1\t9\t24.5\n"
        for n, (f, z) in enumerate(rows)
    )
    names = "\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tZmod\tZphz\tIdc\tVdc\tIERange\tTemp\n"
    units = "\t#\ts\tHz\tohm\tohm\tV\tohm\t\xb0\tA\tV\t#\tdeg C\n"
    text = (
        "EXPLAIN\nTAG\tEISPOT\nTITLE\tLABEL\tPotentiostatic EIS\tTest &Identifier\nDATE\tLABEL\t1/2/2020\tDate\n"
        "TIME\tLABEL\t3:04:05\tTime\nNOTES\tNOTES\t2\t&Notes...\n\tpellet 7\n\t\nPSTAT\tPSTAT\tREF3000\tPotentiostat\n"
        "AREA\tQUANT\t1.13000E+000\t&Area (cm^2)\nOCVCURVE\tTABLE\t2\n\tPt\tT\tVf\tVm\n\t#\ts\tV vs. Ref.\tV\n"
        "\t0\t0.25\t-3.4E-001\t-3.4E-001\n\t1\t0.5\t-3.4E-001\t-3.4E-001\nEOC\tQUANT\t-0.3411885\tOpen Circuit (V)\n"
    )
    text += "".join(f"ZCURVE{n or ''}\tTABLE\n{names}{units}{table}" for n in range(curves))
    if aborted:
        text += "EXPERIMENTABORTED\tTOGGLE\tT\tExperiment Aborted\nFRACURVE\tTABLE\t1\n\t0\t1.9E+001\t-6.6E-003\t5.5E-008\n"
    return (text if decimal == "." else comma(text)).encode("latin-1")


def zplot() -> bytes:
    rows = "".join(f"{f:.6E}\t1.0000E-02\t0.0000E+00\t2.0E+00\t{z.real:.4E}\t{z.imag:.4E}\t0.0E+00\t0\t3\n" for f, z in ROWS)
    return (
        "ZPLOT2 ASCII\n  Measured Data, ZPlot:       3.2c\n  Date:                       1-2-2020\n"
        "  Begin User Comments:        1\n    pellet 7\n  End User Comments:          1\n"
        "    Surface Area:             1.13\n  Data Points:                4\n"
        "  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange\nEnd Comments\n" + rows
    ).encode()


def zplot_in_quotes(name: str = "ZPlotW Data File: Version 3.2c", header: str = "Freq(Hz)") -> bytes:
    rows = "".join(f"{f:.6E}, 1.0E-02, 0.0E+00, 2.0E+00, {z.real:.4E}, {z.imag:.4E}, 0.0E+00, 0, 5\r\n" for f, z in ROWS)
    names = "Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range"
    head = f'"{name}"\r\n"Raw Data"\r\npellet 7\r\n0,3,0,1,300000,0.005\r\n3\r\n'
    return (head + f'"  {header}    {names}"\r\n' + rows).encode("utf-8-sig")


def versastudio(segments: int = 1, rest: bool = True) -> bytes:
    definition = "Definition=Segment #, Point #, E(V), I(A), Frequency(Hz), E Real, Z Real, Z Imag, ActionId, AC Amplitude, 0\n"
    text = (
        "<Application>\nName=VersaStudio\nVersion=2.52.3.0\n</Application>\n\n<Action0>\nWorking Electrode Area (cm2)=1.13\n"
        "Name=Common\nComment=pellet 7\n</Action0>\n\n<Instrument>\nType=VersaSTAT4\nModel=-400\n</Instrument>\n\n"
    )
    for number in range(1, segments + 1):
        text += f"<Segment{number}>\nType=2\nVersion=3\n{definition}"
        if rest:
            text += f"{number},0,0.1,-3E-06,0,0,0,0,3,0\n"
        text += "".join(f"{number},{n},0.1,-3E-06,{f:g},0.1,{z.real!r},{z.imag!r},21,0.02\n" for n, (f, z) in enumerate(ROWS))
        text += f"</Segment{number}>\n\n<Graph{number}>\nXAxisName=Frequency (Hz)\nYAxisName=Zim (ohms)\n</Graph{number}>\n"
    return text.encode()


def chinstruments() -> bytes:
    rows = "".join(f"{f:.3e}, {z.real:.3e}, {z.imag:.3e}, {abs(z):.3e}, {np.angle(z, deg=True):.1f}\n" for f, z in ROWS)
    return (
        "Feb. 20, 2020   15:55:08\nA.C. Impedance\nFile: c:\\data\nInstrument Model:  CHI660E\nHeader: \nNote: pellet 7\n\n"
        "Init E (V) = 0\nHigh Frequency (Hz) = 2e+6\nImp SF\n\nFreq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg\n\n" + rows
    ).encode()


def parstat() -> bytes:
    header = "Potential (V)\tCurrent (A)\tElapsed Time (s)\tFrequency (Hz)\tZre (ohms)\tZim (ohms)\t|Vac| (V)\t|Iac| (A)\t\n"
    rest = "".join(f"3.49\t-0.15\t{10 * n}\t0\t0\t0\t0\t0\t\n" for n in (1, 2))
    return (header + rest + "".join(f"3.5\t0.02\t30\t{f:g}\t{z.real!r}\t{z.imag!r}\t0.005\t0.2\t\n" for f, z in ROWS)).encode()


def powersuite() -> bytes:
    return ("Frequency\t Zre\t Zimg\r\r\n" + "".join(f"{f:g}\t {z.real!r}\t {z.imag!r}\r\r\n" for f, z in ROWS)).encode()


def fra_data() -> bytes:
    points = "".join(f" {f!r}\n {z.real!r}\n {-z.imag!r}\n" + " 0.0\n" * 6 for f, z in ROWS)
    return f"VERSION8.0\n {len(F)}\n 1\n{points}".encode()


def fra_text() -> bytes:
    rows = "".join(f" {f:.3e}\t {z.real:.3e}\t {-z.imag:.3e}\t 5.9e+01\t\n" for f, z in ROWS)
    return f"Procedure : pellet 7\n1.2.2020\nDescription\n f/Hz\t Z'/Ohm\t -Z''/Ohm\t time/s\t\n {len(F)} \n{rows}".encode()


def ivium(titles: tuple[str, ...] = ("pellet 7",), method: str = "Impedance") -> bytes:
    rows = "".join(f"{z.real:.5E}  {z.imag:.5E}\t{f:.5E} \n" for f, z in ROWS)
    made = "".join(
        f"Method={method}\nTitle={title}\nData Options.Area=1.13\nReport.Remarks=\nMconfig=0\n2\nData Objects\n0\n"
        f"primary_data\n3\n{len(F)}\n{rows}7\nosc_data\n1\n1\n1\n1.0E+05  4.1E-05  3.7E-04\n"
        for title in titles
    )
    return b"\x0f\x00\x00H\x00\x02Peaks=false\nstarttime=1.2.2020\n" + made.encode() + b"\x00\x01"


def palmsens() -> bytes:
    def array(unit: str, values: list[float]) -> dict[str, object]:
        return {"Unit": {"Type": f"PalmSens.Units.{unit}"}, "DataValues": [{"V": value} for value in values]}

    values = [array("MicroAmpere", [1.0] * 3), array("Hertz", F), array("ZRe", [z.real for z in Z])]
    values.append(array("ZIm", [-z.imag for z in Z]))
    session = {
        "Type": "PalmSens.DataFiles.SessionFile",
        "CoreVersion": "5.9",
        "Measurements": [
            {"Title": "a voltammogram", "DataSet": {"Type": "PalmSens.Data.DataSetCommon", "Values": []}},
            {"Title": "pellet 7", "DataSet": {"Type": "PalmSens.Data.DataSetEIS", "Values": values}},
        ],
    }
    return json.dumps(session).encode("utf-16")


def elins() -> bytes:
    return ("pellet 7\nremarks\n\n3\n" + "".join(f"{f!r} {z.real!r} {z.imag!r}\n" for f, z in ROWS)).encode()
