"""The two shapes everything in the domain has: a frozen value, and an entity, which is a value with an identity."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen, keyword-only, validated value; equal when its parts are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def but(self, **changes: object) -> Self:
        """Return a validated copy with some fields changed.

        Raises:
            pydantic.ValidationError: A changed field does not fit its type.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(fields | changes))


class Entity(Value):
    """A value that stays the same thing while its parts change."""

    id: str
