"""Trains the built-in model's tokenizer: byte-level BPE, digits one by one.

The end-of-text token and the padding token are two different tokens; there is no token at
the beginning. The chat template turns a single user message into the question format that
the model was trained on.
"""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

__all__ = ["LONGEST_INPUT", "VOCABULARY", "train_tokenizer"]

VOCABULARY = 3072
EOS = "<|endoftext|>"
PAD = "<|pad|>"
LONGEST_INPUT = 1024

# Words, digits and signs, each with the space before it; then spaces that are left over.
_PIECES = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

_CHAT_TEMPLATE = (
    "{%- for message in messages -%}{%- if message['role'] == 'user' -%}"
    "Question: {{ message['content'] | trim }} Answer:"
    "{%- elif message['role'] == 'assistant' -%}"
    "{{ ' ' }}{{ message['content'] | trim }}{{ eos_token }}"
    "{%- endif -%}{%- endfor -%}"
)


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer of `VOCABULARY` tokens fitted to the texts, ready to be saved."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=EOS,
        pad_token=PAD,
        padding_side="left",
        model_max_length=LONGEST_INPUT,
        clean_up_tokenization_spaces=False,
        chat_template=_CHAT_TEMPLATE,
    )
