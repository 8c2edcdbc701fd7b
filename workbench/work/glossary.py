"""The words of the workbench, each with what it means: the one place where a term is explained.

The page shows the sentence behind a term and lists all of them in its help; measures take their
help from here. Plain data; a sentence names no other term that is not here.
"""

__all__ = ["GLOSSARY", "meaning"]

GLOSSARY = {
    "fact": "A prompt with the answer that the model should give from now on.",
    "run": "One compilation of the ticked facts into a patch, with its settings and measures.",
    "patch": "The new weights of a run, which are switched on and off; the base never changes.",
    "base": "The model as it was loaded, unedited.",
    "before and after": "The two states that answers are compared in: the base or any run each.",
    "layer": "One of the blocks that a text passes through in the model, numbered from 0.",
    "place": "A layer, or a block or matrix in it, whose weights a run tunes, such as "
    "6.mlp.down_proj.",
    "preset": "The place and learning rate that are known to suit a model, with their source.",
    "scan": "One backward pass that shows how much the facts pull at every matrix.",
    "sweep": "A short run at each place, scored on prompts that are never trained on.",
    "pull": "The gradient of the edit's loss at each matrix, relative to the matrix.",
    "overlap": "The share of that gradient's direction that also moves unrelated prompts.",
    "score": "The weighted mean of a sweep's measures, from 0 to 100.",
    "epoch": "Once through all facts.",
    "loss": "How surprised the model is by the wanted answers, in nats per token; 0 is not at all.",
    "learning rate": "How far each step moves the weights.",
    "form": "How a fact is asked: as it is, as a question, or through the chat template.",
    "rephrase": "Another way to ask the same; never trained on.",
    "what must stay": "Prompts whose answers an edit should leave as they are.",
    "strict": "A way to judge: every token of the answer and its end is the model's first choice.",
    "generated": "A way to judge: what the model writes, compared word by word.",
    "token": "A piece of text as the model reads it; as a way to judge, the share of them right.",
    "reliability": "The facts' own prompts give the new answer.",
    "generalization": "Rephrases, never trained on, give it too.",
    "locality": "Prompts that must not change are answered as before the edit, right or wrong.",
    "portability": "Questions whose answers follow from the new facts are answered so.",
    "KL": "How far one distribution over the next token is from another, in nats; 0 is the same.",
    "90% interval": "Where the number lies in 90 of 100 draws of the facts; narrower is surer.",
    "logit lens": "What the model would say if it ended after a layer.",
    "gradient times input": "How much a word of the prompt speaks for an answer.",
}


def meaning(term: str) -> str:
    """What a term means, in a sentence; empty where it is none.

    Args:
        term: as the page writes it, in any case.
    """
    folded = {name.casefold(): said for name, said in GLOSSARY.items()}
    return folded.get(term.casefold(), "")
