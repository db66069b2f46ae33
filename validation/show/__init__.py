"""Everything that is looked at: tables, plots, files, pages."""
