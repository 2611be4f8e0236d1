"""The guard of minors: words of young age, which cannot stand where adult pictures are concerned.

A text is read in several ways, so that dots, blanks, digits for letters and letters of other scripts hide nothing; a
word in the middle of another one («teen» in «canteen») is none. What is harmless is said so in `HARMLESS`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from core.domain.errors import MinorsGuarded
from core.domain.rating import Rating

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
)  # fmt: skip
TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand",
)  # fmt: skip

YOUNG = """
child, child'?s, children, childrens, childlike, schoolchild, schoolchildren, kids?, kiddos?, kidd(?:y|ies?), toddlers?
infants?, newborns?, bab(?:y|ies), babygirls?, babyboys?, tod{1,2}lercon, preteens?, pre teens?, tweens?, teens?
teenage, teenaged, teenagers?, teenies?, adolescents?, adolescence, juveniles?, minors?, pubescent, prepubescent
pre pubescent, underaged?, under aged?, jail ?baits?, loli(?:s|ta|tas|con)?, shota(?:s|con)?, nymphets?, pa?edophil\\w*
school ?girls?, school ?boys?, school ?aged?, (?:high|middle|elementary|primary|grade) school(?:s|er|ers)?, junior high
preschool(?:s|er|ers)?, kindergart\\w+, (?:first|second|third|fourth|fifth|sixth) graders?, youngsters?, sweet sixteen
(?:little|small|young|tiny|baby) (?:girl|boy|child|daughter|son)s?, barely legal, girlhood, boyhood, age ?play, cunny
kleinkind(?:er)?, kindlich\\w*, minderjährig\\w*, schulmädchen, schülerin(?:nen)?, kleine[ns]? (?:mädchen|jungen?)
säugling\\w*, jugendliche[nr]?, enfants?, enfantine?, fillettes?, gamins?, mineure?s?, adolescente?s?, lycéenne?s?
collégienne?s?, écolière?s?, bébés?, petites? filles?, petits? garçons?, niñ[oa]s?, niñit[oa]s?, menor(?:es)? de edad
menores, colegialas?, bebés?, bebes?, crianças?, menininh[oa]s?, menor(?:es)? de idade, bambin[oaie], minorenn[ei]
ragazzin[aeio], kinderen, minderjarige?n?, kleuters?, peuters?, tieners?, dzieck\\w*, dzieci\\w*, nieletni\\w*
dziewczynk\\w*, nastolat\\w*, çocuk\\w*, ребен\\w*, ребён\\w*, детей, дети, детск\\w*
девочк\\w*, мальчик\\w*, малолет\\w*, несовершеннолет\\w*, подрост\\w*, школьни\\w*, बच्चा, बच्ची, नाबालिग
طفل, طفلة, أطفال, قاصر
"""
YOUNG_ANYWHERE = """
ロリ ショタ 幼女 幼児 女児 男児 児童 子供 子ども こども 小学生 中学生 高校生 女子高生 園児 赤ちゃん 未成年 少女 少年
兒童 儿童 孩子 小孩 小女孩 小男孩 萝莉 蘿莉 正太 初中生 高中生 女高中生 어린이 로리 쇼타 미성년 초등학생 중학생 고등학생
여고생 여중생
"""  # scripts without blanks: no boundary tells a word from another
EXPLICIT = """
nudes?, nudity, nudist\\w*, nak(?:ed|edness), topless, bottomless, unclothed, undress(?:ed|ing)?, (?:no|without) clothes
nsfw, sex, sexy, sexual\\w*, sexuali[sz]ed, erotic\\w*, porn\\w*, hentai, ecchi, lewd\\w*, xxx, uncensored, genital\\w*
puss(?:y|ies), vagina\\w*, vulvas?, clit(?:oris)?, penis(?:es)?, cocks?, dicks?, nipples?, areolae?s?, breasts?, boobs?
tits, titties, cleavage, lingerie, panties, thongs?, masturbat\\w*, orgasm\\w*, cum, cums, cumming, cumshots?
creampies?, blow ?jobs?, hand ?jobs?, fellatio, anal, anus, assholes?, butthole, fuck\\w*, gang ?bangs?, bdsm, bondage
fetish\\w*, bukkake, ahegao, futanari, threesomes?, orgy, orgies, intercourse, penetrat(?:ed|ing|ion), aroused, horny
raped?, raping, molest\\w*, strippers?, striptease, whores?, sluts?, slutty, prostitut\\w*, upskirt, incest\\w*
camel ?toe, spread legs, legs spread, seductive\\w*, desnud[oa]s?, nackte?[nrs]?, nuda, nudo, nue, голая, голый
голые, обнаж\\w*, секс\\w*, порно
"""
EXPLICIT_ANYWHERE = "裸 全裸 ヌード エロ セックス 色情 性交 누드 섹스 벌거벗은"
HARMLESS = """
baby (?:blue|pink|oil|dolls?|bump|shower|hairs?|grand|tees?|carrots?|breath|s breath), (?:kid|kids) (?:gloves?|leather)
kid friendly, kid rock, karate kid, billy the kid, i kid you not, (?:inner|brain|poster) child, ursa minor, asia minor
minor (?:keys?|chords?|scales?|thirds?|league|details?|changes?|flaws?|adjustments?|imperfections?|scratches|blemishes)
in a minor, [b-g](?: sharp| flat)? minor, naked (?:eye|mole rats?), nude (?:lipstick|makeup|tones?|pumps|heels)
moby dick, dick tracy, cock a doodle doo, chicken breasts?
"""

CONFUSABLE = str.maketrans(
    dict(zip("аеорсухвнкмтіјѕԁһӏɡɩαεορτυνικχγωßøłđıȷʟ", "aeopcyxbhkmtijsdhlgiaeoptuvikxywsoldijl", strict=True))
)
LEET = tuple(str.maketrans("013457@$!|€", f"o{one}eastasile") for one in "il")  # «t33n»; 1 stands for either

_UNDER = "|".join((*(rf"0*{number}" for number in range(18)), *NUMBERS))
_ADULT_BEFORE = "".join(rf"(?<!{word} )(?<!{word} and )" for word in TENS)  # «twenty five», «a hundred and five»
_AGES = (
    rf"(?:{_UNDER}) ?(?:y ?o|y ?olds?|(?:years?|yrs?|yr) ?(?:olds?|of age|young))",
    rf"(?:{_UNDER}) ?(?:años|anos|ans|anni|jahren?|jaar|лет|года?)",
    r"\d+ ?months? ?olds?",
    rf"age[ds]?(?: of)? ?(?:{_UNDER})",
    r"(?:under|below|younger than) ?(?:18|eighteen)",
)


def found(text: str) -> str | None:
    """The first word of young age in a text, as it was read; None where there is none."""
    return _first(text, AGE)


def explicit(text: str) -> str | None:
    """The first sexual word in a text, as it was read; None where there is none."""
    return _first(text, SEXUAL)


def require_grown(*texts: str) -> None:
    """Let texts pass that say nothing of young age: traits of anybody, and whatever is said where adults look.

    Raises:
        MinorsGuarded: One has such a word.
    """
    for text in dict.fromkeys(texts):
        if word := found(text):
            raise MinorsGuarded(word=word)


def require_fit(*texts: str, rating: Rating) -> None:
    """Let texts pass that describe pictures of a rating: what is explicit is for adults, whatever its rating.

    Raises:
        MinorsGuarded: They are for adults, or explicit, and have a word of young age.
    """
    if rating is Rating.NSFW or any(explicit(text) for text in texts):
        require_grown(*texts)


def _first(text: str, words: re.Pattern[str]) -> str | None:
    for reading in _readings(text):
        if hit := words.search(SAFE.sub(" ", reading)):
            return hit[0].strip()
    return None


def _readings(text: str) -> Iterable[str]:
    """The ways in which a text can be read, each once, the plainest first: lower case, words between single blanks."""
    folded = "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    plain = re.sub(r"(?<=\d)[,.](?=\d{3}(?!\d))", "", folded.casefold())
    bare = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    latin = bare.translate(CONFUSABLE)
    calls = re.sub(r"!+(?!\w)", " ", latin)
    forms = dict.fromkeys((plain, latin, *(calls.translate(table) for table in LEET)))
    every = dict.fromkeys(spaced for form in forms for spaced in _spaced(form))
    return dict.fromkeys(calm for spaced in every for calm in (spaced, *_calmed(spaced)))


def _spaced(text: str) -> Iterator[str]:
    """As it stands; without the signs inside of words; with words that were spelled out («l o l i») put together."""
    plain = _words(text)
    yield plain
    yield _words(re.sub(r"(?<=\w)[^\w\s,;]+(?=\w)|(?<=[^\W_])_+(?=[^\W_])", "", text))
    yield re.sub(r"(?<!\w)\w(?: \w){2,}(?!\w)", _joined, plain)


def _joined(spelled: re.Match[str]) -> str:
    """A word that was spelled out, also without an article before it."""
    word = spelled[0].replace(" ", "")
    return f"{word} {word[1:]}"


def _calmed(text: str) -> Iterator[str]:
    """With letters that are drawn out («teeeen») once, and twice."""
    for times in (r"\1", r"\1\1"):
        yield re.sub(r"([^\W\d])\1{2,}", times, text)


def _words(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text).split())


def _listed(text: str) -> list[str]:
    return [word.strip() for line in text.split("\n") for word in line.split(",") if word.strip()]


def _pattern(words: str, anywhere: str = "", others: Iterable[str] = ()) -> re.Pattern[str]:
    """What finds whole words, and those of scripts without blanks anywhere."""
    whole = rf"(?<![^\W\d_])(?:{'|'.join(_listed(words))})(?![^\W\d_])"
    ages = [rf"(?<!\w){_ADULT_BEFORE}(?:{'|'.join(others)})(?!\w)"] if others else []
    return re.compile("|".join((whole, *ages, *anywhere.split())))


AGE = _pattern(YOUNG, f"{YOUNG_ANYWHERE} (?<!\\d)(?:{'|'.join(map(str, range(18)))})(?:歳|才|岁|歲|살|세)", _AGES)
SEXUAL = _pattern(EXPLICIT, EXPLICIT_ANYWHERE)
SAFE = _pattern(HARMLESS)
