"""Spectra -> arcs, R_Cstr, C_Cstr, tau: fits, names, Kramers-Kronig test, distribution of relaxation times."""
