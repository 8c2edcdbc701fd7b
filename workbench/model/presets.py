"""Presets: where to tune a known model, how fast, and who found that out.

A preset is data. It is matched by the model's name, else by its shape (a fine-tune of the same
base), else the general guess is used and labelled as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

__all__ = [
    "PAPER",
    "PRESETS",
    "SCALED",
    "ModelShape",
    "Preset",
    "early_layers",
    "find_preset",
    "late_layers",
    "layers_around",
    "output_matrix",
]

PAPER = "Fine-tuning Done Right in Model Editing, arXiv 2509.22072"
"""The source of presets that the paper gives."""

SCALED = (
    "scaled, not tuned: depth and rate of the paper's Qwen2.5 7B, by its rule of proportional "
    "depth, arXiv 2509.22072"
)
"""The source of presets for larger models of a family in which the paper tuned one."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What of a model's config tells it apart from others.

    Args:
        model_type: the config's ``model_type``, such as ``llama``.
        layers: number of layers.
        hidden_size: width of the hidden states.
        vocab_size: rows of the embedding.
    """

    model_type: str
    layers: int
    hidden_size: int
    vocab_size: int


@dataclass(frozen=True, slots=True)
class Preset:
    """A start for one model.

    Args:
        name: how the page calls it.
        at: locations to tune.
        learning_rate: Adam's learning rate there.
        source: where the numbers come from, for people to read.
        is_guess: True when nobody measured them on this model.
        is_scaled: True when the guess is the place of a smaller model of its family, at the same
            share of the depth.
        models: hub ids that it is for, compared without case, with or without the owner.
        shape: the shape of those models; another model of the same shape gets it too.
        chat: whether the model at hand has a chat template.
        around: the location of a single matrix with that of the same matrix in the layers after
            it, for a recipe that tunes several; empty where there is none.
        early: the layers in which methods write that change what is said of a subject.
        late: the layers in which methods write that change what is said where an answer begins.
    """

    name: str
    at: tuple[str, ...]
    learning_rate: float
    source: str
    is_guess: bool = False
    models: tuple[str, ...] = ()
    shape: ModelShape | None = None
    chat: bool = False
    around: tuple[str, ...] = ()
    is_scaled: bool = False
    early: tuple[int, ...] = ()
    late: tuple[int, ...] = ()

    @property
    def standing(self) -> str:
        """How much is known of it, in a word or three."""
        if self.is_scaled:
            return "scaled, not tuned"
        return "a guess" if self.is_guess else "measured"


def _scaled(size: str, layers: int, hidden_size: int) -> Preset:
    """Qwen2.5 of another size."""
    tuned, of = 6, 28  # of the 7B; a layer's share of the depth counts it from 1
    return Preset(
        name=f"Qwen2.5 {size}",
        at=(f"{round((tuned + 1) / of * layers) - 1}.mlp.down_proj",),
        learning_rate=5e-4,
        source=SCALED,
        is_guess=True,
        is_scaled=True,
        models=(f"Qwen/Qwen2.5-{size}-Instruct", f"Qwen/Qwen2.5-{size}"),
        shape=ModelShape("qwen2", layers, hidden_size, 152064),
    )


PRESETS: tuple[Preset, ...] = (
    Preset(
        name="Built-in model",
        at=("6.mlp.down_proj",),
        learning_rate=5e-3,
        source="measured on the built-in model, see bench/README.md",
        models=("builtin",),
    ),
    Preset(
        name="Llama 3 8B Instruct",
        at=("22.mlp.down_proj",),
        learning_rate=5e-4,
        source=PAPER,
        models=("meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3-8B-Instruct"),
        shape=ModelShape("llama", 32, 4096, 128256),
    ),
    Preset(
        name="Qwen2.5 7B Instruct",
        at=("6.mlp.down_proj",),
        learning_rate=5e-4,
        source=PAPER,
        models=("Qwen/Qwen2.5-7B-Instruct",),
        shape=ModelShape("qwen2", 28, 3584, 152064),
    ),
    Preset(
        name="Mistral 7B v0.1",
        at=("23",),
        learning_rate=5e-5,
        source=PAPER,
        models=("mistralai/Mistral-7B-v0.1",),
        shape=ModelShape("mistral", 32, 4096, 32000),
    ),
    _scaled("14B", 48, 5120),
    _scaled("32B", 64, 5120),
    _scaled("72B", 80, 8192),
)


def find_preset(
    model: str, shape: ModelShape, matrices: Sequence[str] | Mapping[str, Sequence[int]]
) -> Preset:
    """The best-founded start for a model.

    Args:
        model: ``builtin``, a hub id or a folder.
        shape: the shape read from its config.
        matrices: names of the weights to choose from, such as ``mlp.down_proj``, with the layers
            that have each; names alone are in every layer.

    Returns:
        The preset of that model, of its shape, or a guess that says so.
    """
    name = model.rstrip("/").replace("\\", "/").split("/")[-1].lower()
    for preset in PRESETS:
        if name in {known.split("/")[-1].lower() for known in preset.models}:
            return preset
    for preset in PRESETS:
        if preset.shape == shape:
            return replace(preset, name=f"same shape as {preset.name}", is_guess=True, models=())
    if not isinstance(matrices, Mapping):
        matrices = dict.fromkeys(matrices, range(shape.layers))
    return _guess(shape, matrices)


def layers_around(layer: int, having: Sequence[int], count: int = 3) -> list[int]:
    """A layer with those after it; near the end of a model with those before it.

    Args:
        layer: in the model.
        having: the layers that have what is wanted, that one among them.
        count: how many; fewer where there are no more.
    """
    place = sorted(having).index(layer)
    start = max(0, min(place, len(having) - count))
    return sorted(having)[start : start + count]


def early_layers(layers: int) -> tuple[int, ...]:
    """The layers from an eighth to a quarter of a model's depth, as in MEMIT (arXiv 2210.07229).

    Its code and those after it take 4 to 8 of the 32 layers of Llama 3 8B, 3 to 8 of GPT-J's 28.

    Args:
        layers: how many there are.
    """
    first, last = round(layers / 8), max(1, round(layers / 4))
    return tuple(range(min(first, layers - 1), min(last, layers - 1) + 1))


def late_layers(layers: int) -> tuple[int, ...]:
    """The layers of a model's last third but for the very last, as in UltraEdit (arXiv 2505.14679).

    Its settings for GPT-J are 18 to 26 of 28 layers.

    Args:
        layers: how many there are.
    """
    first = round(0.64 * layers)
    return tuple(range(first, max(first + 1, round(0.93 * layers))))


def _guess(shape: ModelShape, matrices: Mapping[str, Sequence[int]]) -> Preset:
    """A late layer's last MLP matrix; the rate falls with the width, as between the presets."""
    wanted = max(0, round(0.75 * shape.layers) - 1) if shape.layers > 1 else 0
    having = sorted({layer for layers in matrices.values() for layer in layers}) or [wanted]
    layer = min(having, key=lambda each: (abs(each - wanted), -each))
    there = [module for module, layers in matrices.items() if layer in layers]
    measured_width, measured_rate = 256, 5e-3
    rate = measured_rate * min(1.0, measured_width / max(1, shape.hidden_size))
    return Preset(
        name="a guess",
        at=(f"{layer}.{output_matrix(there)}".rstrip("."),),
        learning_rate=float(f"{rate:.1g}"),
        source="a guess from other models: a late layer's MLP output; look at the Layers plots",
        is_guess=True,
    )


OUTPUTS = (
    "mlp.down_proj",
    "mlp.c_proj",
    "mlp.dense_4h_to_h",
    "mlp.fc_out",
    "mlp.fc2",
    "fc2",
    # The expert that every token passes, before the stacked ones that few tokens reach.
    "shared_expert.down_proj",
    "shared_experts.down_proj",
    "shared_mlp.down_proj",
    "shared_mlp.output_linear",
    "down_proj",
    "mlp.dense",
    "feed_forward.w2",
    "output_linear",
    "mlp.proj_out",
    "ffn.experts.mlp.w2",
    "output.dense",
    "out_proj",
    "o_proj",
)
"""What the matrix is called that writes an MLP's output, or else an attention's or a state
space's; the first that a layer has is taken."""


def output_matrix(matrices: Sequence[str]) -> str:
    """The matrix of a layer that writes the MLP's output, by its usual names; else the last one.

    Args:
        matrices: names of the matrices of that layer, in order; empty gives the whole layer.
    """
    for ending in OUTPUTS:
        for matrix in matrices:
            if matrix == ending or matrix.endswith("." + ending):
                return matrix
    return matrices[-1] if matrices else ""
