"""Bodies as a schema wishes them: the least that fits, to be refused for something else."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def least(schema: Schema, shapes: Mapping[str, Schema]) -> object:  # noqa: PLR0911 - each kind has its least
    """The least that fits a schema of an OpenAPI document."""
    if "$ref" in schema:
        return least(shapes[schema["$ref"].rpartition("/")[2]], shapes)
    if known := [schema[name] for name in ("const", "default") if schema.get(name) is not None]:
        return known[0]
    if known := [schema[name][0] for name in ("enum", "examples") if schema.get(name)]:
        return known[0]
    if options := schema.get("anyOf"):
        return least(options[0], shapes)
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {name: least(one, shapes) for name, one in schema.get("properties", {}).items() if name in required}
        case "array":
            return [least(schema["items"], shapes)] * max(1, schema.get("minItems", 0))
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case _:
            return "2026-03-01T12:00:00Z" if schema.get("format") == "date-time" else "x" * schema.get("minLength", 3)
