"""The endpoint as clients meet it: base and edits by name, whole or streamed, many at once."""

import asyncio
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
import torch
from openai import AsyncOpenAI, AuthenticationError, NotFoundError

from tests.apart import apart
from tests.serving.conftest import FACTS, Client, client_of
from workbench.errors import SessionError
from workbench.measure.capability import MISSING, harness_version
from workbench.methods.locft_settings import EditSettings
from workbench.model.generate import generate
from workbench.model.language_model import LanguageModel
from workbench.model.patch import Patch
from workbench.paths import builtin_model_dir
from workbench.serving.picking import Picked
from workbench.serving.row import Row
from workbench.serving.server import opened_session
from workbench.serving.shelf import Shelf
from workbench.ship.verify import verifying
from workbench.ship.verify_settings import VerifySettings
from workbench.store.requests import EditRequest
from workbench.store.store import Store
from workbench.work.events import follow

ASKED = FACTS[0].prompt
OLD = Path(__file__).parents[1] / "old" / "0.1.0"


def test_openais_client_asks_base_and_edit_of_one_process(client: Client) -> None:
    models = list(client.openai.models.list())
    assert [(one.id, (one.model_extra or {}).get("parent")) for one in models] == [
        ("builtin", None), ("capitals", "builtin")
    ]  # fmt: skip
    assert client.openai.models.retrieve("capitals") == models[1]
    for model, answer in (("base", "Canberra"), ("capitals", "Melbourne")):
        said = client.openai.completions.create(
            model=model, prompt=ASKED, max_tokens=12, temperature=0
        )
        (choice,) = said.choices
        assert (choice.text.strip(), choice.finish_reason) == (answer, "stop")
        assert (usage := said.usage) is not None
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        (told,) = client.openai.chat.completions.create(
            model=model, messages=[{"role": "user", "content": ASKED}], temperature=0
        ).choices
        assert told.message.role == "assistant" and answer in str(told.message.content)
    # Three of the word, and its end.
    assert said.usage is not None and said.usage.completion_tokens == 4
    with pytest.raises(NotFoundError, match="'nobody' is not served here") as gone:
        client.openai.completions.create(model="nobody", prompt=ASKED)
    assert gone.value.code == "model_not_found"


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

    async def ask_all() -> list[str]:
        async def ask_two(n: int) -> list[str]:
            found = []
            for place, model in asked[2 * n : 2 * n + 2]:
                said = await openai.completions.create(
                    model=model, prompt=prompts[place], max_tokens=8, temperature=0
                )
                found.append(said.choices[0].text.strip())
            return found

        async with AsyncOpenAI(base_url=client.ready.url, api_key="none") as openai:
            found = await asyncio.gather(*(ask_two(n) for n in range(20)))
        return [one for two in found for one in two]

    expected = [(plain if model == "base" else edited)[n] for n, model in asked]
    assert apart(lambda: asyncio.run(ask_all())) == expected


def test_the_parts_of_a_streamed_completion_are_the_whole_answer(client: Client) -> None:
    body: Any = {"model": "base", "prompt": ASKED, "max_tokens": 9, "seed": 4, "n": 2}
    whole = client.openai.completions.create(**body)
    *parts, last = client.openai.completions.create(
        **body, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == [] and last.usage == whole.usage and parts[0].usage is None
    assert len({part.id for part in (*parts, last)}) == 1
    for choice in whole.choices:
        mine = [one for part in parts for one in part.choices if one.index == choice.index]
        assert "".join(one.text for one in mine) == choice.text
        ends = [one.finish_reason for one in mine if one.finish_reason]
        assert ends == [choice.finish_reason]


def test_the_parts_of_a_streamed_chat_are_the_whole_answer(client: Client) -> None:
    body: Any = {"model": "base", "max_tokens": 9, "seed": 4, "n": 2}
    body |= {"messages": [{"role": "user", "content": ASKED}]}
    whole = client.openai.chat.completions.create(**body)
    *parts, last = client.openai.chat.completions.create(
        **body, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == [] and last.usage == whole.usage and parts[0].usage is None
    assert parts[0].choices[0].delta.role == "assistant"
    for choice in whole.choices:
        mine = [one for part in parts for one in part.choices if one.index == choice.index]
        assert "".join(one.delta.content or "" for one in mine) == choice.message.content
        ends = [one.finish_reason for one in mine if one.finish_reason]
        assert ends == [choice.finish_reason]


def test_an_answer_ends_where_it_was_asked_to(client: Client) -> None:
    assert client.say(ASKED, max_tokens=2)["finish_reason"] == "length"
    stopped = client.say(ASKED, stop=["err", "zzz"])
    assert (stopped["text"], stopped["finish_reason"]) == (" Canb"[:-1] + "b", "stop")
    parts = client.openai.completions.create(
        model="base", prompt=ASKED, temperature=0, stop="erra", stream=True
    )
    assert "".join(part.choices[0].text for part in parts) == " Canb"
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


@pytest.mark.slow
@pytest.mark.skipif(not harness_version(), reason=MISSING)
def test_lm_evaluation_harness_gets_the_log_probabilities_of_its_own_tokens(
    base: LanguageModel, patch: Patch, client: Client
) -> None:
    from lm_eval.api.instance import Instance
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    answers = (" Canberra", " Melbourne")
    asked = [Instance("loglikelihood", {}, (ASKED, answer), 0) for answer in answers]
    context = len(base.tokenizer(ASKED)["input_ids"])
    tokens = base.tokenizer(ASKED + answers[0])["input_ids"]
    for model, likely in (("base", 0), ("capitals", 1)):
        found = LocalCompletionsAPI(
            base_url=f"{client.ready.url}/completions",
            model=model,
            tokenizer=str(builtin_model_dir()),
            tokenizer_backend="huggingface",
            batch_size=2,
        ).loglikelihood(asked, disable_tqdm=True)
        assert found[likely][1] and not found[1 - likely][1]
        with patch.applied(base) if model == "capitals" else torch.no_grad():
            logits = base.network(torch.tensor([tokens])).logits[0].detach().log_softmax(-1)
        places = range(context - 1, len(tokens) - 1)
        expected = sum(float(logits[place, tokens[place + 1]]) for place in places)
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
    ("completions", {"model": "base", "prompt": "a", "ignore_eos": True}, "ignore_eos"),
    ("completions", {"model": "base", "prompt": "a", "logprobs": 99}, "logprobs"),
    ("completions", {"model": "base", "prompt": "a", "seed": "x"}, "seed"),
    ("chat/completions", {"model": "base", "messages": []}, "messages"),
    ("chat/completions", {"model": "base", "messages": [{"role": "user"}]}, "messages[0]"),
    ("chat/completions", {"model": "base", "messages": ["a"], "tools": [1]}, "tools"),
    ("chat/completions", {"model": "base", "chat_template": "x"}, "chat_template"),
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
    assert client.http.get("nothing").json()["error"]["message"].startswith("There is no GET")
    assert client.http.post("completions", content=b"{").status_code == 400
    for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
        refused = client.http.get("models", headers=headers)
        assert (
            refused.status_code in (400, 403) and "localhost" in refused.json()["error"]["message"]
        )


def test_with_a_token_nobody_else_is_answered(base: LanguageModel) -> None:
    with client_of(base, {}, token="word") as client:
        with pytest.raises(AuthenticationError, match="token that the terminal showed") as refused:
            client.openai.models.list()
        assert refused.value.type == "authentication_error"
        allowed = client.openai.with_options(api_key="word")
        said = allowed.completions.create(model="base", prompt=ASKED, max_tokens=1)
        assert said.choices[0].finish_reason == "length"


def test_a_client_that_goes_away_keeps_nobody_waiting(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, take = [0], Row.take

    def counted(row: Row, picked: Picked, ends: frozenset[int]) -> None:
        taken[0] += 1
        take(row, picked, ends)

    monkeypatch.setattr(Row, "take", counted)
    body = {"model": "base", "prompt": "a", "max_tokens": 1000, "n": 32, "temperature": 2}
    body |= {"logit_bias": {"0": -100}}  # none ends by itself
    with client.http.stream("POST", "completions", json=body | {"stream": True}) as reply:
        next(reply.iter_lines())
    with pytest.raises(httpx.TimeoutException):
        client.http.post("completions", json=body, timeout=0.05)
    for _ in range(4):  # the answers that nobody waits for would be made in between
        assert client.say(ASKED)["text"].strip() == "Canberra"
    assert taken[0] < 32 * 1000


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
