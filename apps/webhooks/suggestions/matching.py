"""Which tokens a place could want, judged by the words of its path alone.

The last step counts first, then the steps around it say whose it is. A whole name that is an
alias scores 100, one that is an alias but for words of context 90, anything else as alike as
rapidfuzz's WRatio finds it, if each of its words is in the alias.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from apps.webhooks.suggestions.aliases import (
    CALL,
    CALLER,
    CLEAR,
    FOREIGN,
    KINDS,
    NAMING,
    NOISE,
    OF,
    STOPS,
    SUBJECTS,
    UNITS,
    VAGUE,
)
from apps.webhooks.suggestions.names import Steps, Words, words_of
from apps.webhooks.tokens import TOKENS

CUT_OFF = 85
EXACT = 100
IN_CONTEXT = 90
DOUBTFUL = 80
"""The most that a name can score which could just as well be about something else."""

OTHER = "other"
"""The subject of a path that is about something of which no token tells."""

_LEAST = 60
_LIKE = 80
_MOST = 3
# Words that an alias may have behind those of the name: "first" is a first name.
_WEAK = frozenset({"name", "number", "no"})
_SHORT = 3
_LONGEST_JOINED = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A token for a name: how sure (0 to 100), and the alias that the name is or is like."""

    token: str
    score: int
    alias: str


class _Index:
    """The aliases of one subject, or the clear ones."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._exact: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        for token, names in aliases.items():
            for name in names.split(","):
                words = words_of(name)
                self._phrases.setdefault(" ".join(words), token)
                self._exact.setdefault("".join(words), token)
        # By an initial and how many words: an alias has those of the name, and one more at most.
        self._like: dict[tuple[str, int], list[str]] = {}
        for phrase in self._phrases:
            parts = phrase.split()
            for initial in dict.fromkeys(part[0] for part in parts):
                for length in (len(parts), len(parts) - 1):
                    self._like.setdefault((initial, length), []).append(phrase)

    def exact(self, words: Words) -> str | None:
        """The token of which these words are an alias."""
        return self._exact.get("".join(words))

    def alike(self, words: Words) -> Match | None:
        """The token with the alias most like these words."""
        if not any(len(word) > 2 for word in words):
            return None
        query = " ".join(words)
        initials = dict.fromkeys(word[0] for word in words)
        phrases = dict.fromkeys(
            phrase for each in initials for phrase in self._like.get((each, len(words)), ())
        )
        found = process.extract(
            query, list(phrases), scorer=fuzz.WRatio, limit=5, score_cutoff=CUT_OFF
        )
        for phrase, score, _ in found:
            if _covers(phrase.split(), words):
                return Match(self._phrases[phrase], min(round(score), 95), phrase)
        return None


def _covers(alias: list[str], words: Words) -> bool:
    """Whether each word is in the alias, give or take a letter, and at most a weak one is left.

    Short words must be there as they are: sid is no id.
    """
    left = list(alias)
    for word in words:
        best = max(left, key=lambda other: fuzz.ratio(word, other), default="")
        if word != best and not _is_misspelt(word, best):
            return False
        left.remove(best)
    return not left or (left == alias[-1:] and left[0] in _WEAK)


def _is_misspelt(word: str, other: str) -> bool:
    """Whether a word is another, give or take a letter; one that goes on is not: answered."""
    if len(word) <= _SHORT or fuzz.ratio(word, other) < _LIKE:
        return False
    goes_on = word.startswith(other) or other.startswith(word)
    return not goes_on or abs(len(word) - len(other)) == 1


def _index_of(subject: str) -> _Index:
    return _Index(OF[subject])


_CLEAR = _Index(
    {
        name: f"{name}, {CLEAR.get(name, name)}"
        for name, token in TOKENS.items()
        if token.is_suggested
    }
)
_OF = {subject: _index_of(subject) for subject in OF}
_SUBJECT_WORDS = {word: subject for subject, words in SUBJECTS.items() for word in words.split()}
# Much else has a start and an end, too: an appointment.
_ANY_TIMES = frozenset({"call_start_time", "call_end_time", "dialed_time"})
# Where these are the subject, a name that they do not have may still be the caller's.
_OPEN = (CALL, CALLER)


@lru_cache(maxsize=8192)
def matches_of(steps: Steps) -> tuple[Match, ...]:
    """The tokens that a path suggests, best first, at most three."""
    if not steps or NAMING.issuperset(steps[-1]):
        return ()
    telling = tuple(step for step in steps if not NOISE.issuperset(step)) or steps[-1:]
    found: dict[str, Match] = {}
    for match in (*_joined(steps), *_joined(telling), *_candidates(telling)):
        known = found.get(match.token)
        if match.score >= _LEAST and (known is None or known.score < match.score):
            found[match.token] = match
    return tuple(sorted(found.values(), key=lambda match: -match.score)[:_MOST])


def subject_of(steps: Steps) -> str:
    """Whom or what the path is about: a subject, `OTHER` something foreign, or ""."""
    for step in reversed(steps):
        if "of" in step:
            # "Vehicle of interest" is about the vehicle.
            step = step[: step.index("of")]
        if not NOISE.isdisjoint(step):
            # The fields of a form are about whoever filled it in.
            step = tuple(word for word in step if word != "form")
        subjects = [subject for word in step if (subject := _subject_of_word(word))]
        if OTHER in subjects:
            return OTHER
        if subjects and not VAGUE.issuperset(step):
            return subjects[-1]
    return CALLER if any(VAGUE.issuperset(step) for step in steps) else ""


def _joined(steps: Steps) -> Iterable[Match]:
    """The two last steps as one name: `phones[0].number`, `emails[0].address`, `utm.content`."""
    if len(steps) < 2 or KINDS.issuperset(steps[-1]):
        return
    inner = _singular(steps[-2])
    words = (*inner, *(_telling(steps[-1]) or steps[-1]))
    if len(words) > _LONGEST_JOINED:
        return
    if token := _CLEAR.exact(words):
        yield Match(token, EXACT, " ".join(words))
        return
    context = subject_of(steps[:-1]) or CALLER
    if context in _OF and _is_plain(inner) and (token := _OF[context].exact(words)):
        yield Match(token, EXACT, " ".join(words))


def _candidates(steps: Steps) -> Iterable[Match]:
    name, around = _without_stops(steps[-1]), steps[:-1]
    context = subject_of(around)
    bare = _telling(name) or name
    bare = tuple(word for word in bare if word not in UNITS) or bare
    if context in _OF and (token := _OF[context].exact(name)):
        yield Match(token, EXACT, " ".join(name))
    for words in dict.fromkeys((name, bare, _without_ones(bare))):
        if token := _CLEAR.exact(words):
            yield _clear(token, words, context)
    own = tuple(word for word in bare if not _subject_of_word(word))
    named = [subject for word in bare if (subject := _subject_of_word(word))]
    if OTHER in named or not own:
        return
    yield from _inside(own, bare, named, context, around)


def _telling(words: Words) -> Words:
    return tuple(word for word in words if word not in NOISE)


def _without_stops(name: Words) -> Words:
    """A name without the words that only join others, unless it is known with them."""
    if STOPS.isdisjoint(name) or _CLEAR.exact(name) or _OF[CALLER].exact(name):
        return name
    return tuple(word for word in name if word not in STOPS) or name


def _clear(token: str, words: Words, context: str) -> Match:
    is_terse = len(words) == 1 and token != words[0]
    is_any_time = token in _ANY_TIMES and CALL not in map(_subject_of_word, words)
    is_doubtful = context == OTHER and (is_terse or is_any_time)
    return Match(token, DOUBTFUL if is_doubtful else EXACT, " ".join(words))


def _inside(
    own: Words, bare: Words, named: list[str], context: str, around: Steps
) -> Iterable[Match]:
    """Candidates for a name whose own words are left when those of its subjects are gone."""
    if context == OTHER and not named:
        yield from _doubtful(_lookup(own, own, [CALLER, CALL]))
        return
    subjects = list(dict.fromkeys([*reversed(named), *([context] if context in _OF else [])]))
    if not subjects or subjects[0] in _OPEN:
        subjects = list(dict.fromkeys([*subjects, CALLER]))
    found = list(_lookup(own, bare, subjects))
    is_about_something_else = (
        not named and not context and around and not _is_plain(around[-1]) and len(own) == 1
    )
    yield from _doubtful(found) if is_about_something_else else found


def _lookup(own: Words, bare: Words, subjects: list[str]) -> Iterable[Match]:
    for place, subject in enumerate(subjects):
        index = _OF[subject]
        if token := index.exact(bare):
            yield Match(token, EXACT - place, " ".join(bare))
            return
        if token := next(
            filter(None, map(index.exact, (own, _singular(own), _without_ones(own)))), None
        ):
            score = EXACT if own == bare else IN_CONTEXT
            yield Match(token, score - place, " ".join(own))
            return
    fuzzy = [_CLEAR.alike(bare), *(_OF[subject].alike(own) for subject in subjects)]
    yield from (match for match in fuzzy if match)


def _doubtful(found: Iterable[Match]) -> Iterable[Match]:
    return (Match(match.token, min(match.score, DOUBTFUL), match.alias) for match in found)


def _is_plain(step: Words) -> bool:
    """Whether a step says only what kind of thing is in it: `address`, `phones`, `name`."""
    words = _singular(step)
    return all(word in NOISE for word in words) or _OF[CALLER].exact(words) is not None


@lru_cache(maxsize=4096)
def _subject_of_word(word: str) -> str:
    for each in (word, *_singular((word,))):
        if each in FOREIGN:
            return OTHER
        if each in _SUBJECT_WORDS:
            return _SUBJECT_WORDS[each]
    return ""


def _singular(words: Words) -> Words:
    return tuple(_singular_word(word) for word in words)


def _without_ones(words: Words) -> Words:
    """The words without the numbers of what is there once: `address1_city`, `telephone1`."""
    return tuple(word for word in words if word != "1")


def _singular_word(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word
