"""Every format that is read, in the order in which files are held against them, and those that are refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fem_constriction.errors import InputError
from fem_constriction.spectra.instruments.biologic import ECLabBinary, ECLabText
from fem_constriction.spectra.instruments.content import Content, Format, Measured, cut_short
from fem_constriction.spectra.instruments.eco_chemie import FRAData, FRAText
from fem_constriction.spectra.instruments.elins import Elins
from fem_constriction.spectra.instruments.excel import Excel
from fem_constriction.spectra.instruments.gamry import Gamry
from fem_constriction.spectra.instruments.ivium import Ivium
from fem_constriction.spectra.instruments.named import CHInstruments, Parstat, PowerSuite
from fem_constriction.spectra.instruments.palmsens import PalmSens
from fem_constriction.spectra.instruments.plain import Plain
from fem_constriction.spectra.instruments.versastudio import VersaStudio
from fem_constriction.spectra.instruments.zplot import ZPlot

#: Formats; the first that recognises a file reads it. A format of one's own is one more object with the same members.
FORMATS: Final[tuple[Format, ...]] = (
    *(ECLabText(), ECLabBinary(), Gamry(), ZPlot(), VersaStudio(), CHInstruments(), Parstat(), PowerSuite()),
    *(FRAData(), FRAText(), Ivium(), PalmSens(), Elins(), Excel(), Plain()),
)

#: Files whose form nobody has published, or that need another program: extension -> whose they are, and what to do.
REFUSED: Final = {
    ".ism": ("Zahner Thales", "export a text with frequency, impedance and phase"),
    ".isw": ("Zahner Thales", "export a text with frequency, impedance and phase"),
    ".nox": ("Metrohm Autolab NOVA", "export the data grid as a text or as .xlsx"),
    ".oew": ("Autolab GPES", "export an ASCII text"),
    ".bin": ("CH Instruments (binary)", "convert it to a text with the instrument's own program"),
    ".mps": ("BioLogic EC-Lab settings, without data", "export a .mpt text of the measurement"),
    ".xls": ("Excel before 2007", "save it as .xlsx or CSV"),
    ".ods": ("OpenDocument", "save it as .xlsx or CSV"),
    ".fods": ("OpenDocument", "save it as .xlsx or CSV"),
    ".numbers": ("Apple Numbers", "save it as .xlsx or CSV"),
    ".opj": ("Origin", "export a text"),
    ".opju": ("Origin", "export a text"),
    ".zmu": ("ZView", "save the data as .z"),
    ".mat": ("MATLAB", "write a text with the columns frequency, Re(Z) and Im(Z)"),
    ".dxz": ("a format unknown here", "export a text"),
}


def measured(path: str, data: bytes) -> Measured:
    """The sweeps in a file's bytes. Raises InputError: what is no spectrum, and formats that are refused by name."""
    file = Content(path, data)
    for each in FORMATS:
        if each.recognises(file):
            try:
                found = each.read(file)
                notes = [note for note in (found.details.get("note", ""), cut_short(file)) if note]
                return replace(found, details=found.details | ({"note": "; ".join(notes)} if notes else {}))
            except InputError:
                if not (isinstance(each, Plain) and file.suffix in REFUSED):
                    raise
            except (ValueError, LookupError, TypeError, OverflowError) as error:
                raise InputError(f"begins as a file of {each.name}, and goes on otherwise ({error})", file=path) from None
    if file.suffix in REFUSED:
        whose, remedy = REFUSED[file.suffix]
        raise InputError(f"a file of {whose} ({file.suffix}) is not read: {remedy}", file=path)
    raise InputError(f"is not text, and no file of {', '.join(each.name for each in FORMATS[:-1])}", file=path)
