from .backend import Network

DISTRIBUTION: str

__all__ = ["DISTRIBUTION", "Network"]
