"""The endpoint as clients meet it: base and edits by name, whole or streamed, many at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
import torch

from tests.serving.conftest import FACTS, Client, client_of
from workbench.errors import SessionError
from workbench.methods.locft_settings import EditSettings
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.serving.server import opened_session
from workbench.serving.shelf import Shelf
from workbench.ship.verify import verifying
from workbench.ship.verify_settings import VerifySettings
from workbench.store.requests import EditRequest
from workbench.store.store import Store
from workbench.work.events import follow

ASKED = FACTS[0].prompt
OLD = Path(__file__).parents[1] / "old" / "0.1.0"


def streamed(client: Client, path: str, **body: Any) -> tuple[list[Any], str]:
    """The chunks of a stream, and its last line."""
    with client.http.stream("POST", path, json=body | {"stream": True}) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in reply.iter_lines() if line]
    return [json.loads(line) for line in lines[:-1]], lines[-1]


def test_base_and_edit_are_models_of_one_process(client: Client) -> None:
    listed = client.http.get("models").json()
    assert [(one["id"], one.get("parent")) for one in listed["data"]] == [
        ("builtin", None), ("capitals", "builtin")
    ]  # fmt: skip
    assert client.http.get("models/capitals").json()["object"] == "model"
    assert client.say(ASKED)["text"].strip() == "Canberra"
    edited = client.post(
        "completions", model="capitals", prompt=ASKED, max_tokens=12, temperature=0
    )
    (choice,) = edited["choices"]
    assert (choice["text"].strip(), choice["finish_reason"]) == ("Melbourne", "stop")
    usage = edited["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == 4  # three of the word, and its end


def test_twenty_clients_at_once_are_answered_as_the_model_in_memory_answers(
    base: LanguageModel, patch: Patch, client: Client
) -> None:
    prompts = [f"The capital of {name} is" for name in ("Spain", "Peru", "Chad", "Iran", "Cuba")]
    prompts += [fact.prompt for fact in FACTS]
    plain = [answer.text for answer in generate(base, prompts, max_new_tokens=8)]
    with patch.applied(base):
        edited = [answer.text for answer in generate(base, prompts, max_new_tokens=8)]
    assert plain != edited
    asked = [(n % 8, ("base", "capitals")[n % 3 == 0]) for n in range(40)]

    def ask(one: tuple[int, str]) -> str:
        said = client.say(prompts[one[0]], model=one[1], max_tokens=8)
        return str(said["text"]).strip()

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(ask, asked))
    assert found == [(plain if model == "base" else edited)[n] for n, model in asked]


@pytest.mark.parametrize("path", ["completions", "chat/completions"])
def test_the_parts_of_a_stream_are_the_whole_answer(client: Client, path: str) -> None:
    chat = path.startswith("chat")
    body: dict[str, Any] = {"model": "base", "max_tokens": 9, "seed": 4, "n": 2}
    body |= {"messages": [{"role": "user", "content": ASKED}]} if chat else {"prompt": ASKED}
    whole = client.post(path, **body)
    chunks, last = streamed(client, path, **body, stream_options={"include_usage": True})
    assert last == "[DONE]" and chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == whole["usage"] and chunks[0]["usage"] is None
    assert len({chunk["id"] for chunk in chunks}) == 1
    for choice in whole["choices"]:
        mine = [
            one for chunk in chunks for one in chunk["choices"] if one["index"] == choice["index"]
        ]
        parts = [one["delta"].get("content", "") if chat else one["text"] for one in mine]
        assert "".join(parts) == (choice["message"]["content"] if chat else choice["text"])
        assert [one["finish_reason"] for one in mine if one["finish_reason"]] == [
            choice["finish_reason"]
        ]
    if chat:
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"


def test_an_answer_ends_where_it_was_asked_to(client: Client) -> None:
    assert client.say(ASKED, max_tokens=2)["finish_reason"] == "length"
    stopped = client.say(ASKED, stop=["err", "zzz"])
    assert (stopped["text"], stopped["finish_reason"]) == (" Canb"[:-1] + "b", "stop")
    chunks, _ = streamed(
        client, "completions", model="base", prompt=ASKED, temperature=0, stop="erra"
    )
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == " Canb"
    assert client.say(ASKED, max_tokens=0, echo=True)["text"] == ASKED
    assert client.say(ASKED, logit_bias={"0": 0}, max_tokens=1)["finish_reason"] == "length"


def test_what_is_drawn_follows_its_own_seed_whoever_asks_beside_it(client: Client) -> None:
    how = {"temperature": 1.6, "seed": 11, "max_tokens": 10}
    alone = client.say("The", **how)["text"]
    others = client.post("completions", model="base", prompt=["A", "The", "Rome"], n=2, **how)
    assert others["choices"][2]["text"] == alone and others["choices"][3]["text"] != alone
    assert client.say("The", temperature=1.6, seed=12)["text"] != alone
    greedy = client.say("The")["text"]
    assert client.say("The", temperature=1.6, top_p=1e-9)["text"] == greedy


def test_a_harness_gets_the_log_probabilities_of_its_own_tokens(
    base: LanguageModel, patch: Patch, client: Client
) -> None:
    """The request, and how its reply is read, are those of lm-evaluation-harness."""
    context = base.tokenizer(ASKED)["input_ids"]
    texts = [base.tokenizer(ASKED + answer)["input_ids"] for answer in (" Canberra", " Melbourne")]
    for model, likely in (("base", 0), ("capitals", 1)):
        body = {"prompt": texts, "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234}
        reply = client.post("completions", model=model, echo=True, **body)
        found = []
        for choice in sorted(reply["choices"], key=lambda choice: choice["index"]):
            told = choice["logprobs"]
            own, top = (
                told[name][len(context) : -1] for name in ("token_logprobs", "top_logprobs")
            )
            greedy = all(one == max(best.values()) for one, best in zip(own, top, strict=True))
            found.append((sum(own), greedy))
        assert found[likely][1] and not found[1 - likely][1]
        with patch.applied(base) if model == "capitals" else torch.no_grad():
            logits = base.network(torch.tensor([texts[0]])).logits[0].detach().log_softmax(-1)
        places = range(len(context) - 1, len(texts[0]) - 1)
        expected = sum(float(logits[place, texts[0][place + 1]]) for place in places)
        assert found[0][0] == pytest.approx(expected, abs=1e-3)


def test_log_probabilities_of_a_chat_name_each_token_and_others(client: Client) -> None:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}]
    }
    told = client.post("chat/completions", model="base", logprobs=True, top_logprobs=2, **body)
    entries = told["choices"][0]["logprobs"]["content"]
    assert all(len(entry["top_logprobs"]) == 2 and entry["logprob"] <= 0 for entry in entries)
    plain = client.say(ASKED, echo=True, logprobs=0)
    offsets, tokens = plain["logprobs"]["text_offset"], plain["logprobs"]["tokens"]
    for offset, token in zip(offsets[:-1], tokens[:-1], strict=True):
        assert plain["text"][offset:].startswith(token)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("completions", {"prompt": "a"}, "model"),
    ("completions", {"model": "base"}, "prompt"),
    ("completions", {"model": "base", "prompt": []}, "prompt"),
    ("completions", {"model": "base", "prompt": ""}, "prompt"),
    ("completions", {"model": "base", "prompt": [[99_999_999]]}, "prompt"),
    ("completions", {"model": "base", "prompt": "a " * 5000}, "prompt"),
    ("completions", {"model": "base", "prompt": "a", "temperature": -1}, "temperature"),
    ("completions", {"model": "base", "prompt": "a", "max_tokens": "many"}, "max_tokens"),
    ("completions", {"model": "base", "prompt": "a", "stop": 3}, "stop"),
    ("completions", {"model": "base", "prompt": "a", "best_of": 3}, "best_of"),
    ("completions", {"model": "base", "prompt": "a", "logprobs": 99}, "logprobs"),
    ("completions", {"model": "base", "prompt": "a", "seed": "x"}, "seed"),
    ("chat/completions", {"model": "base", "messages": []}, "messages"),
    ("chat/completions", {"model": "base", "messages": [{"role": "user"}]}, "messages[0]"),
    ("chat/completions", {"model": "base", "messages": ["a"], "tools": [1]}, "tools"),
]


@pytest.mark.parametrize(("path", "body", "param"), WRONG)
def test_what_cannot_be_answered_is_told_in_the_shape_of_openai(
    client: Client, path: str, body: dict[str, Any], param: str
) -> None:
    reply = client.http.post(path, json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["type"]) == (400, "invalid_request_error")
    assert error["param"] == param and error["message"].endswith((".", "…"))


def test_other_errors_have_that_shape_too(client: Client) -> None:
    gone = client.http.post("completions", json={"model": "nobody", "prompt": "a"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "model_not_found")
    assert client.http.get("nothing").json()["error"]["message"].startswith("There is no GET")
    assert client.http.post("completions", content=b"{").status_code == 400
    for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
        refused = client.http.get("models", headers=headers)
        assert (
            refused.status_code in (400, 403) and "localhost" in refused.json()["error"]["message"]
        )


def test_with_a_token_nobody_else_is_answered(base: LanguageModel) -> None:
    with client_of(base, {}, token="word") as client:
        refused = client.http.get("models")
        assert (refused.status_code, refused.json()["error"]["type"]) == (
            401,
            "authentication_error",
        )
        client.http.headers["Authorization"] = "Bearer word"
        assert client.http.get("models").status_code == 200
        assert client.say(ASKED, max_tokens=1)["finish_reason"] == "length"


def test_a_client_that_goes_away_keeps_nobody_waiting(client: Client) -> None:
    body = {"model": "base", "prompt": "a", "max_tokens": 100, "n": 32, "temperature": 2}
    with client.http.stream("POST", "completions", json=body | {"stream": True}) as reply:
        next(reply.iter_lines())
    with pytest.raises(httpx.TimeoutException):
        client.http.post("completions", json=body, timeout=0.05)
    assert client.say(ASKED)["text"].strip() == "Canberra"


def test_runs_of_a_session_are_there_as_soon_as_they_are_done(
    base: LanguageModel, patch: Patch, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    run = store.runs.begin(store.jobs.ask_for(EditRequest()), base.name, EditSettings(), [])
    with client_of(base, {}, store) as client:
        names = [one["id"] for one in client.http.get("models").json()["data"]]
        assert names == ["builtin"]
        patch.save(store.runs.patch_folder(run))
        store.runs.end(run, "done")
        assert client.http.get(f"models/run-{run}").json()["parent"] == "builtin"
        assert client.say(ASKED, model=f"run-{run}")["text"].strip() == "Melbourne"
        verified = follow(
            verifying(
                client.ready.url, FACTS, VerifySettings(forms=("raw",), model_name=f"run-{run}")
            )
        )
        assert verified.forms[0].strict == 3
    store.close()


def test_sessions_of_earlier_versions_are_served(base: LanguageModel, tmp_path: Path) -> None:
    with ZipFile(OLD / "session.zip") as archive:
        archive.extractall(tmp_path / "old")
    store = opened_session("old", tmp_path)
    names = [one.name for one in Shelf(base, {}, store).served()]
    assert names[0] == "builtin" and "run-1" in names
    with pytest.raises(SessionError, match="changes no session"):
        store.settings.set("name", "Another")
