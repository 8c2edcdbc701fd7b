"""What is told of a model, for tests that need none in memory."""

from workbench.model.presets import Preset
from workbench.model.summary import ModelSummary

__all__ = ["SUMMARY"]

SUMMARY = ModelSummary(
    name="builtin",
    architecture="LlamaForCausalLM",
    layers=8,
    hidden_size=256,
    parameters=4_430_000,
    memory_bytes=17_720_000,
    device="cpu",
    dtype="float32",
    states_kept=True,
    fallback="",
    matrices=("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj"),
    chat=False,
    preset=Preset("Built-in model", ("6.mlp.down_proj",), 5e-3, "measured"),
)
