"""``magnitude_edge_export``, the exporter's name before it became part of magnitude-edge."""

import importlib
import sys

import pytest

from magnitude_edge import export
from magnitude_edge.export import capture, gsnn, rebuilt


def test_the_old_name_works_with_a_notice():
    sys.modules.pop("magnitude_edge_export", None)
    with pytest.warns(DeprecationWarning, match="now magnitude_edge.export"):
        old = importlib.import_module("magnitude_edge_export")
    assert old.export_gsnn is export.export_gsnn
    assert set(old.__all__) == set(export.__all__)
    assert importlib.import_module("magnitude_edge_export.capture") is capture
    assert importlib.import_module("magnitude_edge_export.export") is gsnn
    assert importlib.import_module("magnitude_edge_export.twin") is rebuilt
