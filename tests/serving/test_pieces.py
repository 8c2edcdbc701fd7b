"""What the endpoint is made of: texts that grow, the turns of requests, and the command."""

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import run_command
from tests.conftest import byte_tokenizer
from workbench.model.choice import ModelChoice
from workbench.serving.body import Sampling
from workbench.serving.engine import AT_ONCE, _dealt, _Waiting
from workbench.serving.row import Row
from workbench.serving.writing import Text
from workbench.store.library import Library
from workbench.work.stop import Stop

BYTES = byte_tokenizer()
TEXTS = st.text(st.sampled_from("abcé€😀 "), max_size=30)


@given(TEXTS, TEXTS, st.lists(st.text(st.sampled_from("abc€"), min_size=1, max_size=3), max_size=2))
def test_the_parts_of_a_growing_text_are_the_text_up_to_where_it_must_end(
    before: str, text: str, stops: list[str]
) -> None:
    growing = Text(BYTES, BYTES("x" + before)["input_ids"], stops)
    parts = []
    for token in BYTES(text)["input_ids"]:
        parts.append(growing.add(token))
        assert "�" not in parts[-1]
        if growing.is_stopped:
            break
    parts.append(growing.end())
    ends = [text.index(stop) for stop in stops if stop in text]
    # Where one stop ends before another that began earlier, the answer ends at the first to end.
    first = (
        min((text.index(s) + len(s), text.index(s)) for s in stops if s in text) if ends else None
    )
    expected = text[: first[1]] if first else text
    assert "".join(parts) == expected and growing.length == len(expected)
    assert growing.is_stopped == bool(ends)


def rows(count: int, length: int = 4) -> list[Row]:
    made = Sampling()
    return [Row(n, (1,) * length, 1, made, BYTES, lambda _: None, Stop()) for n in range(count)]


def test_a_request_with_many_prompts_lets_the_others_through() -> None:
    many, one = _Waiting("base", rows(100)), _Waiting("base", rows(1))
    taken = _dealt([many, one])
    assert len(taken) == AT_ONCE and not one.rows and len(many.rows) == 100 - AT_ONCE + 1


def test_prompts_that_are_too_long_to_stand_side_by_side_stand_alone() -> None:
    long = _Waiting("base", rows(3, length=10_000))
    assert len(_dealt([long])) == 1 and len(long.rows) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--session", "nobody"], "There is no session 'nobody'"),
        (["--patch", "nowhere"], "There is no patch at 'nowhere'"),
        (["--port", "99999"], "port is 99999"),
    ],
)
def test_the_command_says_what_it_cannot_serve(
    words: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("serving"))
    ran = run_command("serve-model", *words, "--sessions", "none")
    assert ran.code == 2 and told in ran.err


def test_a_sessions_model_is_loaded_where_the_command_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = Library(tmp_path).create("Mine")
    store.settings.choose_model(ModelChoice("builtin", dtype="float32"))
    served: list[ModelChoice] = []
    command = import_module("workbench.cli.serve_model")  # not the function of that name
    monkeypatch.setattr(command, "load", served.append)
    monkeypatch.setattr("workbench.serving.server.serve_model", lambda *_: None)
    words = ("--session", "Mine", "--sessions", str(tmp_path), "--device", "cpu")
    assert run_command("serve-model", *words, "--memory", "1GB").code == 0
    (choice,) = served
    assert (choice.name, choice.dtype, choice.device) == ("builtin", "float32", "cpu")
    assert choice.memory == 10**9
