"""Trigger words: which words may call a model."""

import re
import unicodedata

from core.domain.errors import BadTrigger

COMMON = frozenset(
    {
        "the", "and", "for", "with", "from", "not", "break", "near", "over", "under",
        "man", "men", "woman", "women", "girl", "boy", "1girl", "1boy", "solo", "male", "female", "person", "people",
        "child", "young", "old", "face", "head", "hair", "eye", "eyes", "hand", "hands", "arm", "leg", "body", "skin",
        "smile", "smiling", "standing", "sitting", "walking", "wearing", "looking", "hat", "shirt", "dress",
        "cat", "dog", "bird", "horse", "tree", "forest", "flower", "house", "street", "city", "car", "room", "window",
        "sky", "sun", "moon", "night", "day", "water", "sea", "beach", "snow", "outdoors", "indoors",
        "red", "green", "blue", "yellow", "purple", "orange", "white", "black", "pink", "gray", "grey", "brown",
        "circle", "square", "triangle", "star", "diamond", "cross", "cute", "beautiful", "simple",
        "photo", "photograph", "picture", "image", "portrait", "landscape", "close-up", "painting", "drawing", "sketch",
        "illustration", "anime", "manga", "comic", "cartoon", "film", "render", "realistic", "photorealistic",
        "cinematic", "camera", "bokeh", "light", "lighting", "dark", "sharp", "focus", "blurry", "view", "front",
        "side", "style", "art", "artist", "background", "masterpiece", "best", "high", "quality", "detailed",
        "resolution", "nsfw", "sfw", "lora", "embedding", "default",
    }
)  # fmt: skip

SHORTEST, LONGEST = 3, 32
WORD = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")


def folded(word: str) -> str:
    """The form in which trigger words are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


def guarded(word: str) -> str:
    """Return the folded word if it may call a model.

    Plain ASCII letters rule out homoglyphs; ordinary words and numbers would fire in prompts that never meant them.

    Raises:
        BadTrigger: The word is too short, too long, ordinary, a number, or is not of a-z and 0-9 with _ and - between.
    """
    plain = folded(word)
    suggestion = (re.sub(r"[^a-z0-9]", "", plain)[:20] or "zorp") + "-x1"
    if not SHORTEST <= len(plain) <= LONGEST:
        raise BadTrigger(word=word, why=f"it must have {SHORTEST} to {LONGEST} characters", suggestion="zorp-x1")
    if not WORD.fullmatch(plain):
        why = "only a-z and 0-9, with «_» and «-» between them, can be told apart safely"
        raise BadTrigger(word=word, why=why, suggestion=suggestion)
    if not re.search("[a-z]", plain):
        raise BadTrigger(word=word, why="it is a number", suggestion=suggestion)
    if plain in COMMON:
        raise BadTrigger(word=word, why="it is an ordinary word", suggestion=suggestion)
    return plain
