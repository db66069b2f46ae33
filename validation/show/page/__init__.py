"""A result as one HTML file that needs no network: `write_page(path, title, sections)`.

`crosscheck_sections(result)` and `converge_sections(record)` give the sections of the two pages; others put theirs together
from `Verdict`, `Heading`, `Paragraph`, `Table`, `Plot`, `Code` and `Folded`; `from_terminal` makes them of what is printed.
"""

from validation.show.page.converge import converge_sections
from validation.show.page.crosscheck import crosscheck_sections
from validation.show.page.sections import Code, Folded, Heading, Paragraph, Plot, Section, Table, Verdict
from validation.show.page.tables import from_terminal
from validation.show.page.writer import page_text, write_page

__all__ = [
    "Code",
    "Folded",
    "Heading",
    "Paragraph",
    "Plot",
    "Section",
    "Table",
    "Verdict",
    "converge_sections",
    "crosscheck_sections",
    "from_terminal",
    "page_text",
    "write_page",
]
