"""The document of the API: OpenAPI 3.1, made of what the routes say."""

import typing
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from core.domain.errors import (
    Banned,
    DatabaseUnavailable,
    DomainError,
    KeyInUse,
    KeyMissing,
    KeyReused,
    Malformed,
    NotAllowed,
    NotAsSeen,
    NotFound,
    NotSignedIn,
    TokenTooNarrow,
    TooOften,
)
from core.domain.token import Scope
from web.api.route import KEY, PREFIX, Listed, Out, Route
from web.problems import status

WORDS = "LoraGuild: a community trains its own LoRA models together."
REF = "#/components/schemas/{model}"
ANY = (NotSignedIn, Banned, TokenTooNarrow, NotAllowed, TooOften, DatabaseUnavailable)  # what any route may answer
Schema = dict[str, Any]
FILES: Schema = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
FORM: Schema = {"type": "object", "required": ["files"], "properties": {"files": FILES}}


class Fault(Out):
    """One thing that does not fit: where, and why."""

    at: str
    detail: str


class Problem(Out):
    """What went wrong (RFC 9457): a stable code for programs, words for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[Fault, ...] = ()


def document(routes: Iterable[Route], *, version: str, address: str) -> Schema:
    """The whole document."""
    known = tuple(routes)
    refs, schemas = _schemas(known)
    paths: dict[str, Schema] = defaultdict(dict)
    for route in known:
        paths[route.path][route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "LoraGuild", "version": version, "summary": WORDS},
        "servers": [{"url": address + PREFIX}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in known)],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": f"Scopes: {', '.join(Scope)}"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[Mapping[type[BaseModel], Schema], Schema]:
    """Where each shape is described, and all descriptions by name."""
    modes: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for route in routes:
        if route.body:
            modes[route.body] = "validation"
        if _is_shape(route.returns):
            modes[route.returns] = "serialization"
    found, described = models_json_schema(list(modes.items()), ref_template=REF)
    refs = {shape: schema for (shape, _), schema in found.items()}
    return typing.cast("Mapping[type[BaseModel], Schema]", refs), described.get("$defs", {})


def _operation(route: Route, refs: Mapping[type[BaseModel], Schema]) -> Schema:
    operation: Schema = {
        "operationId": f"{route.tag}_{route.run.__name__.strip('_')}",
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": _responses(route, refs),
    }
    if route.details:
        operation["description"] = route.details
    if route.body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[route.body]}}}
    elif route.takes:
        binary = {route.takes: {"schema": FORM if "form" in route.takes else {}}}
        operation["requestBody"] = {"required": True, "content": binary}
    return operation


def _in_path(route: Route) -> list[Schema]:
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in route.parameters]


def _in_query(route: Route) -> list[Schema]:
    if route.query is None:
        return []
    described = route.query.model_json_schema()
    shapes, needed = described.get("$defs", {}), described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _inlined(schema, shapes)}
        for name, schema in described.get("properties", {}).items()
    ]


def _inlined(schema: Any, shapes: Schema) -> Any:
    """A schema without references: what stands in a query is small."""
    if isinstance(schema, list):
        return [_inlined(one, shapes) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return _inlined(shapes[reference.rpartition("/")[2]], shapes)
    return {name: _inlined(one, shapes) for name, one in schema.items()}


def _in_headers(route: Route) -> list[Schema]:
    known: list[Schema] = []
    if route.idempotent:
        schema = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!#-~]+$"}
        known.append({"name": KEY, "in": "header", "required": True, "schema": schema})
    if NotAsSeen in route.errors:
        what = "The ETag of what you have seen: what has changed since is left alone"
        known.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": what})
    return known


def _responses(route: Route, refs: Mapping[type[BaseModel], Schema]) -> Schema:
    content: Schema = {}
    if route.media:
        content = {"content": {route.media: {}}}
    elif _is_shape(route.returns):
        content = {"content": {"application/json": {"schema": refs[route.returns]}}}
    good = "204" if not content else str(int(route.status))
    responses: Schema = {good: {"description": "Done", **content}}
    if route.method == "GET" and content and not route.media and not issubclass(route.returns, Listed):
        responses["304"] = {"description": "As the tag in If-None-Match says"}
    codes: dict[int, list[str]] = defaultdict(list)
    for error in dict.fromkeys((*route.errors, *_common(route))):
        codes[int(status(error))].append(error.code)
    if route.body or route.takes:
        codes[413].append("http_413")
        codes[415].append("http_415")
    for code, names in sorted(codes.items()):
        problem = {"application/problem+json": {"schema": refs[Problem]}}
        responses[str(code)] = {"description": ", ".join(f"`{name}`" for name in names), "content": problem}
    return responses


def _common(route: Route) -> Iterable[type[DomainError]]:
    """What any route like this may answer."""
    yield from ANY
    yield Malformed
    if route.parameters:
        yield NotFound
    if route.idempotent:
        yield from (KeyMissing, KeyReused, KeyInUse)


def _is_shape(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
