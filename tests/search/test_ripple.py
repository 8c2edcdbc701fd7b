"""What an edit changes besides its facts: what is asked, and that what moved stands first."""

from workbench.facts import Fact
from workbench.facts.neighbours import said_keys
from workbench.facts.same import prompt_key
from workbench.methods.edit import edit
from workbench.model.load import load_model
from workbench.search.ripple import ripple_prompts, rippling
from workbench.work.events import follow
from workbench.work.stop import Stop

FACTS = [
    Fact("The capital of Australia is", "Melbourne", subject="Australia"),
    Fact("The inventor of the telephone is", "Ada Lovelace", subject="the telephone"),
    Fact(
        "The currency of Japan is",
        "Krone",
        subject="Japan",
        rephrase_prompts=("The capital of Brazil is",),
    ),
]


def test_subjects_and_relations_are_crossed_and_nothing_taught_or_measured_is_asked() -> None:
    asked = ripple_prompts(FACTS)
    found = dict(zip((prompt for _, prompt in asked), (near for near, _ in asked), strict=True))
    assert found["The currency of Australia is"] == "subject"
    assert "relation" in found.values() and "other" in found.values()
    assert not said_keys(FACTS) & {prompt_key(prompt) for prompt in found}
    assert "The capital of Brazil is" not in found
    assert not any("The telephone" in prompt or "the telephone" in prompt for prompt in found)
    assert ripple_prompts(FACTS) == asked


def test_what_moved_most_stands_first_and_the_base_is_as_before() -> None:
    model = load_model("builtin", device="cpu")
    before = model.network.state_dict()["model.layers.6.mlp.down_proj.weight"].clone()
    done = edit(model, FACTS[:1])
    rows = follow(rippling(model, FACTS[:1], done.patch, stop=Stop()))
    assert [row.kl for row in rows] == sorted((row.kl for row in rows), reverse=True)
    near = {row.near for row in rows[:5]}
    assert near & {"relation", "subject"} and rows[0].kl > 10 * max(rows[-1].kl, 1e-6)
    assert (model.network.state_dict()["model.layers.6.mlp.down_proj.weight"] == before).all()
