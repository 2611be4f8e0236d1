"""Trigger words: which words may call a model."""

import re
import unicodedata

from core.domain.errors import BadTrigger

COMMON = frozenset(
    """
    1boy 1girl 2boys 2girls about above abstract absurdres adult aesthetic after all along also amazing amber
    ancient and angry animal anime any apple apron are arm armor armour arms around art artist artistic autumn away
    baby back background bad bag bald bangs beach bear beard beautiful because bee before behind beige belly below
    belt bend best between big bike bikini bird black blank blonde blue blurry boat body bokeh book boot boots both
    bottle bottom box boy boys braid braids bread break bridge bright bronze brown brunette building bus but cake
    calm camera can candle cap cape car cartoon castle cat cats censored chair checkpoint chest child children chin
    cinematic circle city clean close close-up closeup clothes cloud clouds cloudy coat coffee colorful colourful
    comic concept cool copper couch couple cow crimson cross crowd crown cry crying cube cup curly cute cyan
    cyberpunk dance dancing dark dawn day dead deer default desert desk detail detailed diamond digital dog dogs
    door down dragon dramatic drawing dress drink duck during dusk dynamic each ear earrings ears eat eating elbow
    elegant elf else embedding epic evening ever every extremely eye eyebrows eyes face family fantasy fashion feet
    female few field fight film finger fingers fire fish flag flower flowers fly flying focus food foot for forest
    fox friend friends from front fruit full futuristic garden girl girls glasses glove gloves gold golden good
    gothic gray great green grey grunge gun guy hair hand hands happy has hat have hdr head heart helmet her here
    hexagon high highres his holding hood hoodie horror horse house how hug human illustration image impressionist
    indoors ink insect inside into intricate island isometric its jacket jeans jpeg jpg jump jumping jungle just kid
    kids kimono king kiss kitchen knee kneeling knife knight lady lake lamp landscape large laugh laughing leaf left
    leg legs lie light lighting line lineart lion lip lips little long look looking looks loose lora low lowres
    lying macro magenta male man manga many map maroon mask masterpiece men messy minimalist model modern monkey
    monochrome monster moon more morning most mountain mountains mouse mouth much nail naked navy near neck necklace
    negative neon never new night noir none nose not now nsfw nude null ocean off oil old one only orange other our
    out outdoors outfit outside oval over own painting pale panorama pants paper park pastel pattern pencil people
    perfect person phone photo photograph photographic photography photorealistic piano picture pig pink pixel
    pixelart plane plant play playing png ponytail pop portrait pose posing poster pretty prince princess profile
    prompt purple quality queen rabbit rain read reading real realism realistic rectangle red render resolution
    retro ride right ring river road robe robot rock room rose round run running sad same scared scarf scarlet scene
    score sculpture sea selfie sepia serious sfw shadow shadows shape sharp she sheep ship shirt shoes shop short
    shorts shot shoulder shoulders shy side signature silver simple sing sit sitting sketch skin skirt sky sleep
    sleeping sleeve small smile smiling snake snow soft soldier solo some source space sphere spider spiral spring
    square stand standing star stars steampunk stone straight street stripe striped studio style such suit summer
    sun sunglasses sunny sunrise sunset surreal sweater swimsuit sword table tail talk tall tan teal teen teeth test
    text texture than that the their them then there these they thigh thin think this those three through tie tiger
    tiny toe together token tongue too top town toy train tree trees triangle trigger truck turquoise two ugly ultra
    umbrella uncensored undefined under unicorn uniform unreal until upscale username veil very vibrant view village
    vintage violet vivid waist walk walking wall warrior was watch water watercolor watercolour watermark wave wavy
    wearing were what when where which while white who why wide will window wing wings winter witch with without
    wizard wolf woman women world yellow you young your
    """.split()  # noqa: SIM905 - words are read, and kept in order, as words
)
"""Words that people say in prompts, or that tools give a meaning of their own."""

SHORTEST, LONGEST = 3, 32
WORD = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")


def folded(word: str) -> str:
    """The form in which trigger words are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


def ordinary(word: str) -> bool:
    """Whether a folded word, or every part of it, is said in prompts that mean no model."""
    return word in COMMON or all(part in COMMON or part.isdecimal() for part in re.split("[_-]+", word))


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
    if ordinary(plain):
        raise BadTrigger(word=word, why="it is an ordinary word", suggestion=suggestion)
    return plain
