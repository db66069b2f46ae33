"""Eckhardt et al. 2022 (doi 10.1021/acsami.2c12991): table 1 -> cells -> series -> samples -> pictures and claims."""
