"""Presets: where to tune a known model, how fast, and who found that out.

A preset is data. It is matched by the model's name, else by its shape (a fine-tune of the same
base), else the general guess is used and labelled as one.
"""

from dataclasses import dataclass

__all__ = ["PAPER", "PRESETS", "ModelShape", "Preset", "find_preset"]

PAPER = "Fine-tuning Done Right in Model Editing, arXiv 2509.22072"
"""The source of presets that the paper gives."""


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
        models: hub ids that it is for, compared without case, with or without the owner.
        shape: the shape of those models; another model of the same shape gets it too.
    """

    name: str
    at: tuple[str, ...]
    learning_rate: float
    source: str
    is_guess: bool = False
    models: tuple[str, ...] = ()
    shape: ModelShape | None = None


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
)


def find_preset(model: str, shape: ModelShape, matrices: tuple[str, ...]) -> Preset:
    """The best-founded start for a model.

    Args:
        model: ``builtin``, a hub id or a folder.
        shape: the shape read from its config.
        matrices: names of the 2-D weights inside one of its layers, such as ``mlp.down_proj``.

    Returns:
        The preset of that model, of its shape, or a guess that says so.
    """
    name = model.rstrip("/").replace("\\", "/").split("/")[-1].lower()
    for preset in PRESETS:
        if name in {known.split("/")[-1].lower() for known in preset.models}:
            return preset
    for preset in PRESETS:
        if preset.shape == shape:
            return Preset(
                name=f"same shape as {preset.name}",
                at=preset.at,
                learning_rate=preset.learning_rate,
                source=preset.source,
                is_guess=True,
                shape=shape,
            )
    return _guess(shape, matrices)


def _guess(shape: ModelShape, matrices: tuple[str, ...]) -> Preset:
    """A late layer's last MLP matrix; the rate falls with the width, as between the presets."""
    layer = max(0, round(0.75 * shape.layers) - 1) if shape.layers > 1 else 0
    measured_width, measured_rate = 256, 5e-3
    rate = measured_rate * min(1.0, measured_width / max(1, shape.hidden_size))
    return Preset(
        name="a guess",
        at=(f"{layer}.{_output_matrix(matrices)}".rstrip("."),),
        learning_rate=float(f"{rate:.1g}"),
        source="a guess from other models: a late layer's MLP output; look at the Layers plots",
        is_guess=True,
    )


def _output_matrix(matrices: tuple[str, ...]) -> str:
    """The matrix that writes the MLP's output, by its usual names; else the last one."""
    for ending in (
        "mlp.down_proj",
        "mlp.c_proj",
        "mlp.dense_4h_to_h",
        "mlp.fc_out",
        "mlp.fc2",
        "fc2",
        "down_proj",
        "mlp.dense",
    ):
        for matrix in matrices:
            if matrix == ending or matrix.endswith("." + ending):
                return matrix
    return matrices[-1] if matrices else ""
