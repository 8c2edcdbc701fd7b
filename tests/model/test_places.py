"""Places without a model: which layers have a matrix, a block, or an expert."""

from collections.abc import Callable

import pytest

from workbench.errors import LocationError
from workbench.model.language_model import LanguageModel
from workbench.model.location import Location
from workbench.model.places import Places
from workbench.model.summary import ModelSummary
from workbench.work.records import as_data, as_text, from_data, from_text

MIXED = Places(
    6,
    {
        "attn.o_proj": (0, 1, 2, 3, 4, 5),
        "mlp.down_proj": (0,),
        "mlp.gate": (1, 2, 3, 4, 5),
        "mlp.experts.down_proj": (1, 2, 3, 4, 5),
        "mlp.shared_experts.down_proj": (1, 2, 3, 4, 5),
    },
    {"mlp.experts.down_proj": 8},
)


@pytest.mark.parametrize(
    ("module", "layers"),
    [
        ("", (0, 1, 2, 3, 4, 5)),
        ("mlp", (0, 1, 2, 3, 4, 5)),
        ("mlp.down_proj", (0,)),
        ("mlp.experts", (1, 2, 3, 4, 5)),
        ("mlp.experts.7", (1, 2, 3, 4, 5)),
        ("mlp.experts.7.down_proj", (1, 2, 3, 4, 5)),
        ("mlp.experts.8.down_proj", ()),
        ("mlp.experts.7.up_proj", ()),
        ("mlp.down", ()),
    ],
)
def test_a_module_is_where_its_matrix_is(module: str, layers: tuple[int, ...]) -> None:
    assert MIXED.having(module) == layers


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("6", "its layers are 0 to 5"),
        ("3.mlp.down_proj", r"Layers that have a 'mlp.down_proj': 0\."),
        ("0.mlp.experts.3", r"Layers that have a 'mlp.experts.3': 1-5\."),
        ("2.mlp.experts.8", r"mlp.experts.down_proj \(8 experts\)"),
        ("2.mlp.elsewhere", "This layer has attn.o_proj, mlp.gate"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(at: str, words: str) -> None:
    with pytest.raises(LocationError, match=words):
        MIXED.require(Location.parse(at))


def test_a_sweep_takes_each_kind_of_layers_own_output() -> None:
    assert MIXED.outputs("mlp.shared_experts.down_proj") == (
        "mlp.shared_experts.down_proj",
        "mlp.down_proj",
    )
    assert MIXED.outputs("attn.o_proj") == ("attn.o_proj",)
    assert MIXED.nearest(3, "mlp.down_proj") == 0
    assert MIXED.nearest(3, "mlp.gate") == 3


@pytest.mark.parametrize("name", ["Llama", "DeepSeek-V3", "DBRX"])
def test_the_page_and_the_engine_agree_on_every_place(
    make_model: Callable[..., LanguageModel], name: str
) -> None:
    model = make_model(name)
    places = from_text(ModelSummary, as_text(model.summary())).where
    modules = ["mlp", "mlp.down_proj", "mlp.experts", "mlp.experts.3", "mlp.experts.4", "x"]
    for info in model.locations():
        modules.append(info.location.module)
        modules += [each.location.module for each in model.layers.experts_in(info)]
    for module in dict.fromkeys(modules):
        assert places.having(module) == model.layers.layers_with(module), module
    with pytest.raises(LocationError):
        places.require(Location(0, "mlp.experts.9.down_proj"))


def test_a_summary_that_an_earlier_version_kept_has_every_matrix_everywhere(
    model: LanguageModel,
) -> None:
    kept = as_data(model.summary())
    for name in ("places", "answering"):
        del kept[name]
    old = from_data(ModelSummary, kept).where
    assert old.having("mlp.down_proj") == old.having("") == (0, 1, 2, 3)
