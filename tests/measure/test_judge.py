"""Who judges: an endpoint is asked as it should be, its key goes nowhere else; a model can too."""

import json
from typing import Any

import pytest

from tests.endpoint import endpoint
from workbench.errors import ModelError, SettingsError
from workbench.measure import judge as judges
from workbench.measure.judge import EndpointJudge, LocalJudge, find_judge, judge_prompt
from workbench.measure.stress_settings import StressSettings
from workbench.model.language_model import LanguageModel
from workbench.work.events import follow
from workbench.work.stop import Cancelled, Stop

KEY = "k3y-that-nobody-may-see"
CASE = ("Who wrote {Hamlet}?", "Bo", "It was\nBo's aunt")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_an_endpoint_is_asked_and_says_yes_no_or_neither() -> None:
    with endpoint("Yes.", "No, that is not so… so no", "Perhaps", 503, "YES") as server:
        judge = EndpointJudge("some/judge", f"{server.url}/", KEY)
        assert follow(judge.judging([CASE] * 4, Stop())) == [True, False, None, True]
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions" and len(server.asked) == 5
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"]) == ("some/judge", 0)
    (said,) = body["messages"]
    assert said == {"role": "user", "content": judge_prompt(*CASE)}
    assert (
        "Question: Who wrote {Hamlet}?\nRight answer: Bo\nGiven answer: It was" in said["content"]
    )


@pytest.mark.parametrize("reply", [401, 302, 503, {"choices": []}, {"detail": KEY}])
def test_an_endpoint_that_does_not_answer_is_named_and_its_key_is_not(reply: Any) -> None:
    with endpoint(reply) as server:
        judge = EndpointJudge("some/judge", server.url, KEY)
        with pytest.raises(ModelError, match=server.url) as held:
            follow(judge.judging([CASE], Stop()))
    assert KEY not in str(held.value) and KEY not in repr(held.value.__cause__)
    assert {path for path, _, _ in server.asked} == {"/v1/chat/completions"}


def test_where_nobody_listens_it_is_said_and_a_wish_to_stop_is_heard() -> None:
    with endpoint("yes") as server:
        gone = EndpointJudge("some/judge", server.url)
        wish = Stop()
        wish.ask()
        with pytest.raises(Cancelled):
            follow(gone.judging([CASE], wish))
    with pytest.raises(ModelError, match="cannot be reached"):
        follow(gone.judging([CASE], Stop()))
    assert server.asked == []


def test_the_key_is_read_from_the_variable_and_a_wrong_one_is_never_repeated(
    monkeypatch: pytest.MonkeyPatch, model: LanguageModel
) -> None:
    settings = StressSettings(
        judge_model="m", judge_url="http://127.0.0.1:1/v1", judge_key_env="K3Y_THAT_IS_ONE"
    )
    with pytest.raises(SettingsError, match="is not set") as held:
        find_judge(settings, model)
    assert "K3Y" not in str(held.value)
    monkeypatch.setenv("K3Y_THAT_IS_ONE", "two words")
    with pytest.raises(SettingsError, match="holds no key") as held:
        find_judge(settings, model)
    assert "two words" not in str(held.value)
    monkeypatch.setenv("K3Y_THAT_IS_ONE", KEY)
    found = find_judge(settings, model)
    assert found is not None and (found.name, found.url) == ("m", "http://127.0.0.1:1/v1")
    assert KEY not in repr(found) and KEY not in json.dumps(settings.as_dict())
    assert find_judge(StressSettings(), model) is None
    with pytest.raises(SettingsError, match="without judge_model"):
        find_judge(StressSettings(judge_url="http://127.0.0.1:1/v1"), model)
    with pytest.raises(SettingsError, match="without judge_url"):
        find_judge(StressSettings(judge_model="m", judge_key_env="KEY"), model)


def test_a_local_judge_is_loaded_when_it_is_first_needed(model: LanguageModel) -> None:
    loaded: list[str] = []

    def load() -> LanguageModel:
        loaded.append(model.name)
        return model

    judge = LocalJudge("tiny", load)
    assert follow(judge.judging([], Stop())) == [] and not loaded
    # A tiny random model reads 128 tokens, fewer than the question has.
    assert follow(judge.judging([CASE], Stop())) == [None] and loaded
