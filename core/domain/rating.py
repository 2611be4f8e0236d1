"""Ratings: who pictures are for."""

from enum import StrEnum


class Rating(StrEnum):
    """Pictures for everyone, or for adults only."""

    SFW = "sfw"
    NSFW = "nsfw"

    @classmethod
    def strictest(cls, *ratings: "Rating") -> "Rating":
        """The rating of something made of parts: adult as soon as one part is."""
        return cls.NSFW if cls.NSFW in ratings else cls.SFW
