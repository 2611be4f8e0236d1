"""Entities as documents and back, generically: the id is `_id`, everything else keeps its name."""

from typing import Any, TypeVar

from core.domain.value import Entity

E = TypeVar("E", bound=Entity)
Document = dict[str, Any]


def document(entity: Entity) -> Document:
    """The document of an entity."""
    fields = entity.model_dump(mode="python")
    return {"_id": fields.pop("id"), **fields}


def entity(shape: type[E], found: Document) -> E:
    """The entity in a document.

    Raises:
        pydantic.ValidationError: The document is not of this shape.
    """
    fields = dict(found)
    return shape(id=fields.pop("_id"), **fields)
