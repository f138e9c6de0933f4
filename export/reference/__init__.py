"""A reference GSNN of our own writing, with the structure and attribute names of the published one."""

from .gsnn import GSNN
from .norms import NORMS

__all__ = ["GSNN", "NORMS"]
