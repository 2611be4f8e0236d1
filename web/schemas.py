"""Schemas in words, and an example of each: what the page about the API shows of them."""

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
BOUNDS = {"minLength": "from {} characters", "maxLength": "to {} characters", "minimum": "from {}", "maximum": "to {}"}
SIMPLE: Schema = {"object": {}, "array": [], "string": "…", "boolean": True, "null": None}
DEEPEST = 4  # shapes within shapes


def described(schema: Schema, shapes: Schema) -> str:
    """What a value is: `text, to 80 characters`."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        values = shapes[name].get("enum")
        return _values(values) if values else name
    if either := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(described(one, shapes) for one in either))
    if values := schema.get("enum"):
        return _values(values)
    if "const" in schema:
        return f"«{schema['const']}»"
    bounds = [words.format(schema[name]) for name, words in BOUNDS.items() if name in schema]
    return ", ".join((_kind(schema, shapes), *bounds))


def example(schema: Schema, shapes: Schema) -> str:
    """A value that fits, as JSON on one line: what must be there and nothing more."""
    return json.dumps(_example(schema, shapes, DEEPEST), ensure_ascii=False)


def _kind(schema: Schema, shapes: Schema) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {described(schema.get('items', {}), shapes)}"
        case "object":
            inner = schema.get("additionalProperties")
            return f"object of {described(inner, shapes)}" if isinstance(inner, dict) else "object"
        case "string":
            return {"date-time": "moment", "date": "day"}.get(schema.get("format", ""), "text")
        case None:
            return "anything"
        case kind:
            return {"null": "nothing", "boolean": "true or false"}.get(kind, str(kind))


def _values(values: list[object]) -> str:
    return "one of " + ", ".join(map(str, values))


def _example(schema: Schema, shapes: Schema, depth: int) -> object:
    if reference := schema.get("$ref"):
        schema = shapes[reference.rpartition("/")[2]]
    known = [schema[name] for name in ("default", "const") if name in schema] or schema.get("enum")
    if known:
        return known[0]
    if either := schema.get("anyOf"):
        return _example(either[0], shapes, depth)
    kind = schema.get("type", "object")
    if kind == "object" and depth:
        needed = schema.get("required") or list(schema.get("properties", {}))[:1]
        return {name: _example(schema["properties"][name], shapes, depth - 1) for name in needed}
    if kind == "array" and depth:
        return [_example(schema.get("items", {}), shapes, depth - 1)]
    if kind == "string" and "format" in schema:
        return "2026-01-31T12:00:00Z"
    return SIMPLE.get(kind, schema.get("minimum", 1))
