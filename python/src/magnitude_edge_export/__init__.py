"""The old name of :mod:`magnitude_edge.export`, for programs written before the exporter joined magnitude-edge.

Its modules are those of the new name: ``magnitude_edge_export.capture`` is ``magnitude_edge.export.capture``.
"""

import importlib
import sys
import warnings

from magnitude_edge import export
from magnitude_edge.export import *  # noqa: F403

warnings.warn(
    "magnitude_edge_export is now magnitude_edge.export: import that instead", DeprecationWarning, stacklevel=2
)

__all__ = export.__all__

#: Names of its modules, and where they are now.
_MODULES = ("capture", "check", "direct", "errors", "graph", "joint", "onnx_file", "profile")
for _old, _new in [*zip(_MODULES, _MODULES, strict=True), ("twin", "rebuilt"), ("export", "gsnn")]:
    _module = importlib.import_module(f"{export.__name__}.{_new}")
    sys.modules[f"{__name__}.{_old}"] = globals()[_old] = _module
