"""claims 1 to 56 of Eckhardt et al. 2022, each a check on both backends; importing this package registers them all."""

from validation.paper.claims import (
    figure2,
    figure2_fields,
    figure2_interface,
    figure3,
    figure4,
    figure5,
    figure6,
    figure7,
    limits,
    morphology,
    summary,
)
from validation.paper.claims.base import REGISTRY, Claim, DecidedClaim, Finding, decide

__all__ = ["MODULES", "REGISTRY", "Claim", "DecidedClaim", "Finding", "decide"]

#: Where the claims are, in the order of the paper.
MODULES = (limits, morphology, figure2, figure2_interface, figure2_fields, figure3, figure4, figure5, figure6, figure7, summary)
