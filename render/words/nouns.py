"""Names of things in sentences: articles, plurals, and no thing named twice as if it were two."""

from collections.abc import Sequence

from .description import Thing
from .numerals import count_word

_UNCOUNTED = frozenset(("bread", "milk", "water", "butter", "cheese", "furniture", "laundry"))
_SINGULAR_IN_S = frozenset(("gas", "lens", "canvas", "bus", "atlas", "news", "chess", "tennis"))
_IRREGULAR = {"man": "men", "woman": "women", "child": "children", "mouse": "mice", "foot": "feet"}
_IN_VES = frozenset(("shelf", "bookshelf", "knife", "leaf", "loaf", "wolf", "scarf"))
_VOWEL_SOUND = ("hour", "honest", "heir")
_CONSONANT_SOUND = ("uni", "use", "usu", "eu", "one", "ewe", "ukulele", "utensil")


def article(noun: str) -> str:
    """Return ``a`` or ``an``.

    Example:
        >>> [article(noun) for noun in ("armchair", "unicycle", "hourglass")]
        ['an', 'a', 'an']
    """
    if noun.startswith(_VOWEL_SOUND):
        return "an"
    return "an" if noun[:1] in "aeiou" and not noun.startswith(_CONSONANT_SOUND) else "a"


def is_one(noun: str) -> bool:
    """Return whether ``a`` can stand before a noun: neither boots nor milk."""
    last = noun.split()[-1]
    in_s = last.endswith("s") and not last.endswith(("ss", "us", "is"))
    return last not in _UNCOUNTED and (not in_s or last in _SINGULAR_IN_S)


def plural(noun: str) -> str:
    """Return the plural of a noun that has one.

    Example:
        >>> [plural(noun) for noun in ("oak chair", "piano bench", "book shelf", "toy", "pastry")]
        ['oak chairs', 'piano benches', 'book shelves', 'toys', 'pastries']
    """
    *before, last = noun.split()
    return " ".join([*before, _plural_word(last)])


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _IN_VES:
        return word.removesuffix("e").removesuffix("f") + "ves"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    return word + "s"


def joined(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return " and ".join([part for part in (", ".join(parts[:-1]), *parts[-1:]) if part])


class Naming:
    """Names things in one sentence; remembers which of several alike were named before."""

    def __init__(self) -> None:
        """Begin a sentence in which nothing has been named."""
        self._named: dict[str, Thing] = {}

    def is_named(self, thing: Thing) -> bool:
        """Return whether a thing was named before."""
        return thing.name in self._named

    def listing(self, things: Sequence[Thing]) -> str:
        """Return things as ``the sofa, two chairs and another pot``."""
        groups: dict[str, list[Thing]] = {}
        for thing in things:
            groups.setdefault(thing.noun, []).append(thing)
        phrases = [self._group(noun, group) for noun, group in groups.items()]
        self._named |= {thing.name: thing for thing in things}
        return joined(phrases)

    def one(self, thing: Thing) -> str:
        """Return the name of a single thing."""
        return self.listing([thing])

    def _group(self, noun: str, group: list[Thing]) -> str:
        before = [thing for thing in self._named.values() if thing.noun == noun]
        new = [thing for thing in group if not self.is_named(thing)]
        if group[0].alike == 1 or not is_one(noun):
            return f"the {noun}"
        if len(new) < len(group):
            return f"that {noun}" if len(group) == 1 else f"the {plural(noun)}"
        if len(group) == 1:
            return f"another {noun}" if before else f"{article(noun)} {noun}"
        if len(group) == group[0].alike:
            return f"the {count_word(len(group))} {plural(noun)}"
        return f"{count_word(len(group))} {'more ' if before else ''}{plural(noun)}"
