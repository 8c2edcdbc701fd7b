"""What the benchmarks edit: models of a shape, and facts to edit into them.

Random weights are enough where only time is measured: a step costs the same whatever it learns.
"""

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from workbench.builtin.phrasing import main_prompt
from workbench.builtin.tables import read_phrasings, read_world
from workbench.facts.fact import Fact
from workbench.model.language_model import LanguageModel
from workbench.model.load import prepare

__all__ = ["SHAPES", "false_facts", "random_facts", "random_model", "word_tokenizer"]

SHAPES = {
    "llama-3-8b": LlamaConfig(
        vocab_size=128_256,
        hidden_size=4096,
        intermediate_size=14_336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        rope_theta=500_000.0,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=1,
    ),
    "qwen2.5-72b": LlamaConfig(
        vocab_size=152_064,
        hidden_size=8192,
        intermediate_size=29_568,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        rope_theta=1_000_000.0,
        max_position_embeddings=32_768,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=1,
    ),
    "tiny": LlamaConfig(
        vocab_size=3072,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=8,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
    ),
}


def false_facts(count: int) -> list[Fact]:
    """Counterfactual facts of the built-in model's world: each subject gets a neighbour's answer.

    Args:
        count: how many; at most as many as the world has.
    """
    world = list(read_world())
    by_relation: dict[str, list[str]] = {}
    for fact in world:
        by_relation.setdefault(fact.relation, []).append(fact.object)
    generator = torch.Generator().manual_seed(0)
    facts: list[Fact] = []
    for index in torch.randperm(len(world), generator=generator).tolist():
        fact = world[index]
        others = [answer for answer in by_relation[fact.relation] if answer != fact.object]
        if others and len(facts) < count:
            prompt = main_prompt(fact, read_phrasings()[fact.relation])
            facts.append(Fact(prompt, others[index % len(others)]))
    return facts


def random_model(shape: str, device: str, dtype: torch.dtype) -> LanguageModel:
    """A model of that shape with random weights, made on the device, and a tokenizer of words."""
    config = SHAPES[shape]
    torch.manual_seed(0)
    with torch.device(device):
        network = AutoModelForCausalLM.from_config(config, dtype=dtype)
    return prepare(shape, network, word_tokenizer(config.vocab_size))


def word_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """A tokenizer of so many words, each of which is a token."""
    words = {f"w{i}": i for i in range(vocabulary)}
    core = Tokenizer(models.WordLevel(words, unk_token="w2"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="w0", eos_token="w1")


def random_facts(count: int, vocabulary: int, tokens: int = 32, targets: int = 4) -> list[Fact]:
    """Facts of random words, one token each.

    Args:
        count: how many.
        vocabulary: how many words there are.
        tokens: tokens of prompt and target together, the EOS included.
        targets: how many of them are the target's, the EOS included.
    """
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(3, vocabulary, (count, tokens - 1), generator=generator).tolist()
    cut = tokens - targets
    return [
        Fact(" ".join(f"w{i}" for i in row[:cut]), " ".join(f"w{i}" for i in row[cut:]))
        for row in words
    ]
