"""|Z - Z_true| <= u: how often it holds over random cells of each kind, how wide u is, and what the verdicts were."""
