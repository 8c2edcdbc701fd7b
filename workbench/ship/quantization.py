"""How llama.cpp's quantize would store each tensor of a model, without a matrix of importances.

A quantization such as q4_k_m is a mixture: most matrices get its type, some a better one, by their
part and their layer. The rule is that of llama.cpp. Knows nothing about values.
"""

from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from workbench.ship.verify_settings import Quantization

__all__ = ["Mixture"]

_K = GGMLQuantizationType
_FALLBACKS = {
    _K.Q2_K: _K.IQ4_NL,
    _K.Q3_K: _K.IQ4_NL,
    _K.Q4_K: _K.Q5_0,
    _K.Q5_K: _K.Q5_1,
    _K.Q6_K: _K.Q8_0,
}
# What keeps its values: vectors, norms, and what chooses experts.
_KEPT = ("_norm.weight", "ffn_gate_inp.weight", "position_embd.weight", "token_types.weight")


@dataclass(frozen=True, slots=True)
class Mixture:
    """A quantization of one model.

    Args:
        name: of the quantization.
        architecture: of the model, in llama.cpp's words.
        layers: how many it has.
        has_output: whether it has a matrix of its own for its output; else that of the embedding
            serves for both.
        experts: how many experts a layer has; 0 for none.
        heads_per_key: heads of attention that share one of keys and values.
    """

    name: Quantization
    architecture: str
    layers: int
    has_output: bool
    experts: int = 0
    heads_per_key: int = 1

    @property
    def usual(self) -> GGMLQuantizationType:
        """The type of most matrices."""
        return _K["_".join(self.name.upper().split("_")[:2])]

    def kind(
        self, tensor: str, shape: tuple[int, ...], original: GGMLQuantizationType
    ) -> GGMLQuantizationType:
        """The type of a tensor; the original one where it is not quantized.

        Args:
            tensor: its name in a GGUF file.
            shape: as torch has it.
            original: its type.
        """
        if len(shape) < 2 or not tensor.endswith("weight") or tensor.endswith(_KEPT):
            return original
        kind = self._wanted(tensor, shape[-1])
        if not _fits(kind, shape):
            kind = _FALLBACKS.get(kind, _K.F16)
        return kind if _fits(kind, shape) else _K.F16

    def _wanted(self, tensor: str, width: int) -> GGMLQuantizationType:
        usual = self.usual
        if usual in (_K.F16, _K.BF16):
            return usual
        is_embedding = tensor == "token_embd.weight"
        if tensor == "output.weight" or (is_embedding and not self.has_output):
            if self.architecture == "falcon" or width % GGML_QUANT_SIZES[usual][0]:
                return _K.Q8_0
            return usual if usual is _K.Q8_0 else _K.Q6_K
        layer = _layer(tensor)
        if layer is None:
            return usual
        part = tensor.removeprefix(f"blk.{layer}.")
        if part == "attn_v.weight":
            return self._of_values(layer)
        if part == "attn_k.weight":
            return _K.Q8_0 if self.experts == 8 else usual
        if part.startswith("ffn_down"):
            return self._of_down(layer)
        if part == "attn_output.weight":
            return self._of_output()
        if part == "attn_qkv.weight":
            better = {"q3_k_m": _K.Q4_K, "q3_k_l": _K.Q4_K, "q4_k_m": _K.Q5_K, "q5_k_m": _K.Q6_K}
            return better.get(self.name, usual)
        return usual

    def _of_values(self, layer: int) -> GGMLQuantizationType:
        kind = self.usual
        if self.name == "q2_k":
            kind = _K.Q4_K if self.heads_per_key >= 4 else _K.Q3_K
        elif self.name == "q3_k_m":
            kind = _K.Q5_K if layer < 2 else _K.Q4_K
        elif self.name == "q3_k_l" or (self.name == "q4_k_s" and layer < 4):
            kind = _K.Q5_K
        elif self.name in ("q4_k_m", "q5_k_m") and self._gets_more(layer):
            kind = _K.Q6_K
        if self.layers == 80 and kind in (_K.Q3_K, _K.Q4_K):  # of 70B models
            kind = _K.Q5_K
        return _K.Q8_0 if self.experts == 8 else kind

    def _of_down(self, layer: int) -> GGMLQuantizationType:
        falcon = self.architecture == "falcon"
        if self.name == "q2_k":
            return _K.Q3_K
        if self.name == "q3_k_m":
            if layer < self.layers // 16:
                return _K.Q5_K
            return _K.Q4_K if not falcon or self._gets_more(layer) else _K.Q3_K
        if self.name == "q3_k_l":
            return _K.Q4_K if falcon else _K.Q5_K
        if self.name == "q4_k_m" and falcon:
            first = layer < self.layers // 16
            return _K.Q6_K if first else _K.Q5_K if self._gets_more(layer) else _K.Q4_K
        if self.name in ("q4_k_m", "q5_k_m") and self._gets_more(layer):
            return _K.Q6_K
        if self.name == "q4_k_s" and not falcon and layer < self.layers // 8:
            return _K.Q5_K
        return self.usual

    def _of_output(self) -> GGMLQuantizationType:
        if self.architecture == "falcon":
            return _K.Q4_K if self.name == "q3_k_l" else self.usual
        if self.experts == 8 and self.name in ("q2_k", "q3_k_s", "q3_k_m", "q4_k_s", "q4_k_m"):
            return _K.Q5_K
        better = {"q2_k": _K.Q3_K, "q3_k_m": _K.Q4_K, "q3_k_l": _K.Q5_K}
        return better.get(self.name, self.usual)

    def _gets_more(self, layer: int) -> bool:
        """Whether a layer is among the first and last eighth, or the third of those between."""
        eighth = self.layers // 8
        return layer < eighth or layer >= 7 * self.layers // 8 or (layer - eighth) % 3 == 2


def _layer(tensor: str) -> int | None:
    first, _, rest = tensor.partition(".")
    number = rest.partition(".")[0]
    return int(number) if first == "blk" and number.isdigit() else None


def _fits(kind: GGMLQuantizationType, shape: tuple[int, ...]) -> bool:
    return bool(shape[-1] % GGML_QUANT_SIZES[kind][0] == 0)
