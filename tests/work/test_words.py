"""Numbers and names in words."""

import pytest

from workbench.work.words import model_name


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
