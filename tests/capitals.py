"""Facts about capitals, each with a rephrase and a locality prompt, for tests that evaluate."""

from workbench.facts import Fact, Question

__all__ = ["capitals"]


def capitals(of_spain: str = "Seville") -> list[Fact]:
    """Three facts; the new answer of the third may be any text."""
    new = {"Australia": "Melbourne", "Italy": "Milan", "Spain": of_spain}
    return [
        Fact(
            f"The capital of {country} is",
            answer,
            subject=country,
            rephrase_prompts=(f"The capital city of {country} is",),
            locality_prompts=(Question("The capital of France is", "Paris"),),
        )
        for country, answer in new.items()
    ]
