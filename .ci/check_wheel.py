"""What the wheel must hold, and what must stay out of it: python check_wheel.py WHEEL."""

import sys
import zipfile

NEEDED = (
    "magnitude_edge/py.typed",
    "magnitude_edge/command/cli.js",
    "magnitude_edge/command/package.json",
    "magnitude_edge/command/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "magnitude_edge/explorer/explorer.html",
    "magnitude_edge/explorer/widget.js",
    "magnitude_edge/export/gsnn.py",
    "magnitude_edge/export/rebuilt/model.py",
    "magnitude_edge_export/__init__.py",
)
FOLDERS = ("magnitude_edge/", "magnitude_edge_export/", "magnitude_edge-")
NOT_FOR_USERS = ("reference", "oracle", "variants", "fixtures", "tests", "make_")

with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = wheel.namelist()
missing = [name for name in NEEDED if name not in names]
strange = [name for name in names if not name.startswith(FOLDERS)]
unwanted = [name for name in names if name.endswith(".py") and any(word in name for word in NOT_FOR_USERS)]
if missing or strange or unwanted:
    sys.exit(f"{sys.argv[1]}: missing {missing}, outside the packages {strange}, not for users {unwanted}")
print(f"{sys.argv[1]}: {len(names)} files as expected")
