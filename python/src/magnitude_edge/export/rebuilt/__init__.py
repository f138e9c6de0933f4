"""An export-friendly form of a GSNN, rebuilt from the original's parameters."""

from .model import RebuiltGsnn

__all__ = ["RebuiltGsnn"]
