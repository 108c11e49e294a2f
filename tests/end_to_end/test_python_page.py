"""The conversation in docs/python.md, as a doctest."""

import doctest
from pathlib import Path

import pytest

from tests.end_to_end.pages import ROOT, blocks

PAGE = ROOT / "docs" / "python.md"


def test_the_conversation_goes_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = blocks(PAGE)
    for block in shown:
        if block.file:
            Path(block.file).write_text(block.text)
    (conversation,) = (block.text for block in shown if block.language == "pycon")
    test = doctest.DocTestParser().get_doctest(conversation, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) > 15
    printed: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=printed.append, clear_globs=True)
    assert not runner.failures, "".join(printed)
