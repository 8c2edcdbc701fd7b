"""Numbers and names in words."""

import pytest

from workbench.work.words import about, model_name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("builtin", "builtin"),
        ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("/home/me/models/SmolLM2-135M-Instruct/", "SmolLM2-135M-Instruct"),
        (r"C:\models\tiny.Q4_1.gguf", "tiny.Q4_1.gguf"),
        ("./runs/capitals/checkpoint-100", "capitals/checkpoint-100"),
        ("~/.cache/huggingface/hub/models--a--b-1/snapshots/0f6117e", "a/b-1"),
        ("~", "~"),
    ],
)
def test_a_local_model_is_called_by_its_own_name(name: str, called: str) -> None:
    assert model_name(name) == called


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about a second"),
        (3.4, "about 3 s"),
        (42.0, "about 40 s"),
        (58.0, "about 1 minute"),
        (130.0, "about 2 minutes"),
        (1000.0, "about 15 minutes"),
        (3700.0, "about 1 hour"),
        (5500.0, "about 1.5 hours"),
        (40_000.0, "about 11 hours"),
    ],
)
def test_what_work_takes_is_told_no_finer_than_it_is_known(seconds: float, words: str) -> None:
    assert about(seconds) == words
