"""Reads a report as a browser would: elements, their text, and the JSON islands."""

import base64
import gzip
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    """Up to the first tag inside it."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.words: list[str] = []
        self._open: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(self._open)

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data
        if self._open is None or self._open.tag not in ("script", "style"):
            self.words.append(data)


@dataclass
class Page:
    elements: list[Element] = field(default_factory=list)
    words: str = ""
    """What a person reads, spaces made single."""

    def named(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def island(self, id: str) -> Any:
        """Return the data of an island, every text back in its place; of the decisions with each
        row's values by name."""
        figures, table = self._island("figure-data"), self._island("decision-data")
        texts, hovers = table["texts"], figures["hovers"]

        def unpacked(column: Any) -> Any:
            if isinstance(column, dict) and "places" in column:
                return [None if place is None else texts[place] for place in column["places"]]
            if isinstance(column, dict) and "hover" in column:
                return ["<br>".join(texts[k] for k in hovers[i]) for i in column["hover"]]
            if isinstance(column, dict) and "at" in column:
                known = dict(zip(column["at"], column["values"], strict=True))
                return [known.get(i) for i in range(table["n"])]
            return column

        if id == "decision-data":
            keys = [column["key"] for column in table["columns"]]
            columns = dict(zip(keys, map(unpacked, table["cells"]), strict=True))
            for i, question in enumerate(table["questions"]):
                columns[question["key"]] = [bool(answer >> i & 1) for answer in table["answers"]]
            rows = [{key: cells[i] for key, cells in columns.items()} for i in range(table["n"])]
            return table | {"rows": rows}
        for figure in figures["figures"].values():
            for trace in figure["data"]:
                trace |= {key: unpacked(trace[key]) for key in {"text", "customdata"} & set(trace)}
        return figures["figures"]

    def library(self, name: str) -> str:
        """Return the script of a library that the page carries, as the browser unpacks it."""
        (element,) = [e for e in self.elements if e.attributes.get("id") == f"library-{name}"]
        return gzip.decompress(base64.b64decode(element.text)).decode()

    def _island(self, id: str) -> Any:
        found = [e for e in self.named("script") if e.attributes.get("id") == id]
        assert len(found) == 1
        assert found[0].attributes["type"] == "application/json"
        return json.loads(found[0].text)

    @property
    def programs(self) -> list[Element]:
        """The scripts that a browser runs."""
        return [e for e in self.named("script") if e.attributes.get("type") is None]


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(reader.elements, " ".join(" ".join(reader.words).split()))
