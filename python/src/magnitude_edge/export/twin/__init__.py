"""An export-friendly twin of a GSNN, rebuilt from the original's parameters."""

from .model import GsnnTwin

__all__ = ["GsnnTwin"]
