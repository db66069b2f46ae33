"""Pictures: a result is described (`picture`), then drawn in files and on axes (`printed`), or on pages; colours in common."""
