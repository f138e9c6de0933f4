"""Writes the inputs that the ONNX standard gives each operator: gradient rules are checked against them.

    python export/make_operator_inputs.py

``test/fixtures/operators/inputs.json``: for every operator of the standard, in its newest version,
the inputs in order, each with whether float32 is allowed and whether it is variadic.
"""

from __future__ import annotations

import json
from pathlib import Path

import onnx

TARGET = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "operators" / "inputs.json"


def inputs_of(schema: onnx.defs.OpSchema) -> list[dict[str, object]]:
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    return [
        {
            "name": value.name,
            "float": "tensor(float)" in allowed.get(value.type_str, [value.type_str]),
            "variadic": value.option == onnx.defs.OpSchema.FormalParameterOption.Variadic,
        }
        for value in schema.inputs
    ]


def main() -> None:
    schemas = sorted(
        (schema for schema in onnx.defs.get_all_schemas() if schema.domain == ""),
        key=lambda schema: schema.name,
    )
    lines = [f"{json.dumps(schema.name)}: {json.dumps(inputs_of(schema))}" for schema in schemas]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
