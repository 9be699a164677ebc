"""The help of every verb: one style, exit codes told, and examples that the program itself can read."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

import click
import pytest

from tlsalert.cli import VERBS, group

CONTEXT = click.Context(group, info_name="tlsalert", help_option_names=["-h", "--help"])


def verb(name: str) -> click.Command:
    command = group.get_command(CONTEXT, name)
    assert command is not None
    return command


def help_of(name: str) -> str:
    command = verb(name)
    return command.get_help(click.Context(command, info_name=name, parent=CONTEXT, max_content_width=200))


def examples(name: str) -> list[list[str]]:
    """The words of each call of this verb that the help shows, up to what the shell does with it."""
    found = []
    epilog = (verb(name).epilog or "").partition("Examples:\n")[2].partition("\n\n")[0]
    for line in epilog.splitlines():
        for call in re.split(r"[|;]|<\(", line):
            words = shlex.split(call.strip().rstrip(")"))
            if "tlsalert" in words:
                words = words[words.index("tlsalert") + 1 :]
                found.append(list(takewhile(lambda word: not word.startswith(">"), words)))
    return found


ALL = [pytest.param(name, words, id=" ".join([name, *words[1:]])) for name in VERBS for words in examples(name)]


@pytest.mark.parametrize(("name", "words"), ALL)
def test_every_example_is_a_command_line_that_is_understood(
    name: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert words[0] == name
    monkeypatch.chdir(tmp_path)
    for word in words:
        if re.fullmatch(r"[\w-]+\.[a-z]+", word):
            (tmp_path / word).touch()  # some options look whether their file is there
    verb(name).make_context(name, words[1:], parent=CONTEXT)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_shows_examples_and_how_it_ends(name: str) -> None:
    assert len(examples(name)) >= 2
    assert re.search(r"\bEnds\s+with\s+0\b", help_of(name))


@pytest.mark.parametrize("name", VERBS)
def test_exit_codes_are_those_that_the_program_documents(name: str) -> None:
    known = set(re.findall(r"^ *(\d+) ", (group.epilog or "").partition("Ends with\n")[2], re.MULTILINE))
    said = help_of(name).rpartition("Ends with")[2]
    assert set(re.findall(r"(?:with|and|or) (\d+)\b", f"with {said}")) <= known


@pytest.mark.parametrize("name", VERBS)
def test_help_is_sentences_that_end(name: str) -> None:
    command = verb(name)
    assert (command.help or "").strip().partition("\n\n")[0].endswith(".")
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.help.rstrip().endswith((".", "…", "?")), option.help
            assert option.help[0].isupper() or option.help[0].isdigit(), option.help


def test_the_list_of_verbs_is_what_each_says_of_itself() -> None:
    shown = group.get_help(CONTEXT)
    for name in VERBS:
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)
        assert VERBS[name].endswith(".")
