"""Captioners: who describes pictures, and where pictures go for that."""

from collections.abc import Collection

from core.domain.errors import ProviderNotAllowed
from core.domain.rating import Rating
from core.domain.value import Value


class Captioner(Value):
    """Somebody who describes pictures, by a `name` and with a `title` for people.

    `host` is the third party that pictures are sent to, None where they stay in the house; `adult` says whether those
    for adults may be. `price` is that of one description. `missing` is what an operator has yet to set.
    """

    name: str
    title: str
    host: str | None = None
    adult: bool = True
    price: int = 0
    missing: str = ""

    def is_allowed(self, providers: Collection[str]) -> bool:
        """Whether pictures stay in the house, or go to one of the third parties that their owner has allowed."""
        return self.host is None or self.host in providers

    def require_rating(self, rating: Rating, *, dataset: str) -> None:
        """Let pictures of a rating pass.

        Raises:
            ProviderNotAllowed: They are for adults, and would leave the house.
        """
        if self.host and rating is Rating.NSFW and not self.adult:
            why = "pictures for adults stay here. Choose another captioner: `caption providers`."
            raise ProviderNotAllowed(name=dataset, provider=self.host, why=why)

    def require_allowed(self, providers: Collection[str], *, dataset: str) -> None:
        """Let pictures pass whose owner has allowed where they go.

        Raises:
            ProviderNotAllowed: They have not.
        """
        if self.host and not self.is_allowed(providers):
            why = f"its owner has not allowed that. `caption auto {dataset}` asks first."
            raise ProviderNotAllowed(name=dataset, provider=self.host, why=why)
