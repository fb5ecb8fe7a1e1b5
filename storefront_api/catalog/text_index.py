"""Full text in memory: stems, synonyms, prefixes and typos, over tantivy.

Scores are sums of constants, a pure function of one product and the query. The usual statistics
over all documents would order two replicas differently, and reorder a list whenever any product
changes, so that pages would skip and repeat.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from storefront_api.catalog.domain import Product

_STEMMED, _PLAIN = "stemmed", "plain"
_HEAP_BYTES = 15_000_000  # the smallest tantivy takes
_MAX_TERMS = 12
_FUZZY_FROM_LETTERS = 4
# What a match is worth, by field; a guess (prefix, typo) is worth less than a word.
_WORDS = {"title": 100.0, "category": 60.0, "label": 40.0, "body": 10.0}
_STRONG = ("title", "category", "label")
_PREFIX = 30.0
_TYPO = {"title_plain": 20.0, "label_plain": 15.0}
_PHRASE = 50.0
_UNKNOWN = 0.1  # a word no goods are called by, though its stem may be another's
_POSSESSIVE = re.compile(r"['’]s\b")
_SYNONYMS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("synonyms.toml").read_text())
_PHRASES = re.compile(rf"\b({'|'.join(map(re.escape, _SYNONYMS['phrases']))})(s?)\b")


def _analyzer(stemmed: bool) -> Any:
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(40))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
    )
    return builder.filter(tantivy.Filter.stemmer("english")).build() if stemmed else builder.build()


def clean(text: str) -> str:
    """Compatibility forms folded, control characters and possessives out, single spaces."""
    folded = unicodedata.normalize("NFKC", text)
    kept = (" " if unicodedata.category(char)[0] == "C" else char for char in folded)
    return _POSSESSIVE.sub("", " ".join("".join(kept).split()))


def _one_word(text: str) -> str:
    """Goods and texts are read alike: what some write in two words is one."""
    return _PHRASES.sub(lambda match: _SYNONYMS["phrases"][match[1]] + match[2], text.casefold())


class Found:
    """Products that match: parallel arrays of ordinals and whole-number scores."""

    def __init__(self, ordinals: NDArray[np.int64], scores: NDArray[np.int64]) -> None:
        self.ordinals = ordinals
        self.scores = scores

    def score_of(self, ordinal: int) -> int:
        return int(self.scores[self.ordinals == ordinal][0])


class Reader:
    """One consistent view of the index; safe to use from any thread."""

    def __init__(self, owner: "TextIndex", searcher: Any) -> None:
        self._schema = owner.schema
        self._stemmed, self._plain = owner.stemmed, owner.plain
        self._synonyms = owner.synonyms
        self._searcher = searcher

    def plan(self, text: str) -> str:
        """How to understand a text, one letter a term: `e` as it stands, `x` with a typo, too;
        with `|` in front when any term is enough, because no product has them all."""
        terms = self._terms(text)
        letters = "".join("e" if self._is_known(stem, word) else "x" for stem, word in terms)
        if len(terms) > 1 and not self.find(text, letters).ordinals.size:
            return f"|{letters}"
        return letters

    def find(self, text: str, plan: str) -> Found:
        """Every match, in no order; a plan that does not fit the text is filled up with `e`."""
        query = self._query(text, plan)
        if query is None:
            return Found(np.empty(0, np.int64), np.empty(0, np.int64))
        hits = self._searcher.search(query, limit=max(1, self._searcher.num_docs), count=False).hits
        ordinals = self._searcher.fast_field_values("ordinal", [address for _, address in hits])
        return Found(
            np.array(ordinals, np.int64), np.array([round(score) for score, _ in hits], np.int64)
        )

    def has(self, text: str) -> bool:
        """Whether it finds anything, every word of it as it stands; cheaper than `find`."""
        query = self._query(text, "")
        return query is not None and bool(self._searcher.search(query, limit=1, count=False).hits)

    def _query(self, text: str, plan: str) -> Any | None:
        """None for a text of stop words."""
        terms = self._terms(text)
        if not terms:
            return None
        letters = plan.removeprefix("|").ljust(len(terms), "e")
        occur = tantivy.Occur.Should if plan.startswith("|") else tantivy.Occur.Must
        clauses = [
            (occur, self._term(stem, word, letters[at] == "x", at == len(terms) - 1))
            for at, (stem, word) in enumerate(terms)
        ]
        clauses += self._constraints(terms, letters)
        return tantivy.Query.boolean_query(clauses)

    def find_near(self, text: str, limit: int) -> list[int]:
        """Ordinals of goods whose title has a word two letters away from one of the text's."""
        query = tantivy.Query
        clauses = [
            (
                tantivy.Occur.Should,
                query.fuzzy_term_query(self._schema, "title_plain", word, distance=2),
            )
            for _, word in self._terms(text)
            if len(word) >= _FUZZY_FROM_LETTERS
        ]
        if not clauses:
            return []
        hits = self._searcher.search(query.boolean_query(clauses), limit=limit, count=False).hits
        return list(self._searcher.fast_field_values("ordinal", [address for _, address in hits]))

    def _terms(self, text: str) -> list[tuple[str, str]]:
        """(stem, word) of each term that is not a stop word."""
        words = self._plain.analyze(_one_word(clean(text)))[:_MAX_TERMS]
        return [(stem, word) for word in words for stem in self._stemmed.analyze(word)[:1]]

    def _is_known(self, stem: str, word: str) -> bool:
        """Whether goods are called so; by the word, for a typo may share the stem of another."""
        if any(self._searcher.doc_freq(field, word) for field in _TYPO):
            return True
        others = [each for each in self._synonyms.get(stem, ()) if each != stem]
        return any(self._searcher.doc_freq(field, each) for field in _STRONG for each in others)

    def _constraints(self, terms: list[tuple[str, str]], letters: str) -> list[tuple[Any, Any]]:
        """Some term names the goods, if any can: trousers that go well with a dress are no dress.
        And terms that follow each other in a title count extra."""
        query, found = tantivy.Query, []
        names = [
            query.term_query(self._schema, field, each)
            for (stem, _), letter in zip(terms, letters, strict=False)
            for field in _STRONG
            for each in self._synonyms.get(stem, (stem,))
            if letter == "e"
        ]
        if names and "x" not in letters:
            named = query.boolean_query([(tantivy.Occur.Should, name) for name in names])
            found.append((tantivy.Occur.Must, query.const_score_query(named, 0.0)))
        if len(terms) > 1:
            phrase = query.phrase_query(self._schema, "title", [stem for stem, _ in terms])
            found.append((tantivy.Occur.Should, query.const_score_query(phrase, _PHRASE)))
        return found

    def _term(self, stem: str, word: str, is_guess: bool, is_last: bool) -> Any:
        query, schema = tantivy.Query, self._schema
        options = [
            query.const_score_query(
                query.term_query(schema, field, each), score * _UNKNOWN if is_guess else score
            )
            for field, score in _WORDS.items()
            for each in self._synonyms.get(stem, (stem,))
        ]
        if is_last and len(word) > 1:
            prefix = query.fuzzy_term_query(schema, "title_plain", word, distance=0, prefix=True)
            options.append(query.const_score_query(prefix, _PREFIX))
        if is_guess and len(word) >= _FUZZY_FROM_LETTERS:
            for field, score in _TYPO.items():
                typo = query.fuzzy_term_query(schema, field, word, distance=1, prefix=is_last)
                options.append(query.const_score_query(typo, score))
        return query.disjunction_max_query(options)


class TextIndex:
    """Written by one thread; readers keep the view they were given."""

    def __init__(self) -> None:
        self.stemmed, self.plain = _analyzer(stemmed=True), _analyzer(stemmed=False)
        self.synonyms = self._stems_of(_SYNONYMS["groups"])
        builder = tantivy.SchemaBuilder()
        # Signed: deleting by an unsigned number finds nothing, and adding one kills the writer.
        builder.add_integer_field("ordinal", indexed=True, fast=True)
        for field in _WORDS:
            builder.add_text_field(field, tokenizer_name=_STEMMED)
        for field in _TYPO:
            builder.add_text_field(field, tokenizer_name=_PLAIN)
        self.schema = builder.build()
        self._index = tantivy.Index(self.schema)
        self._index.register_tokenizer(_STEMMED, self.stemmed)
        self._index.register_tokenizer(_PLAIN, self.plain)
        self._writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def replace(self, products: Iterable[tuple[int, Product]]) -> None:
        """Put each product under its ordinal, in place of what was there."""
        for ordinal, product in products:
            self._writer.delete_documents_by_term("ordinal", ordinal)
            if product.is_active:
                self._writer.add_document(self._document(ordinal, product))
        self._writer.commit()
        self._index.reload()

    def reader(self) -> Reader:
        return Reader(self, self._index.searcher())

    @staticmethod
    def _document(ordinal: int, product: Product) -> Any:
        label = " ".join([product.brand or "", *product.tags])
        document = tantivy.Document()
        document.add_integer("ordinal", ordinal)
        fields = {
            "title": product.title,
            "title_plain": product.title,
            "category": " ".join(product.category),
            "label": label,
            "label_plain": f"{label} {' '.join(product.category)}",
            "body": product.description,
        }
        for field, text in fields.items():
            document.add_text(field, _one_word(clean(text)))
        return document

    def _stems_of(self, groups: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for group in groups:
            stems = tuple(self.stemmed.analyze(word)[0] for word in group)
            found |= dict.fromkeys(stems, stems)
        return found
