"""The words of the workbench, each with what it means: the one place where a term is explained.

The page shows the sentence behind a term and lists all of them in its help; measures take their
help from here, and methods add their own sentences. Plain data; a sentence names no other term that
is not here.
"""

__all__ = ["GLOSSARY", "meaning"]

GLOSSARY = {
    # What is worked with.
    "fact": "A prompt with the answer that the model should give from now on.",
    "run": "One compilation of the ticked facts into a patch, with its settings and measures.",
    "patch": "The new weights of a run, which are switched on and off; the base never changes.",
    "base": "The model as it was loaded, unedited.",
    "before and after": "The two states that answers are compared in: the base or any run each.",
    "before": "What answers are compared with: the base, or any run that was chosen.",
    "after": "The run that is shown, or the base where none is.",
    "token": "A piece of text as the model reads it; as a way to judge, the share of them right.",
    # Where it is tuned.
    "layer": "One of the blocks that a text passes through in the model, numbered from 0.",
    "place": "A layer, or a block or matrix in it, whose weights a run tunes, such as "
    "6.mlp.down_proj.",
    "location": "A place, written as its layer and its name there.",
    "preset": "The place and learning rate that are known to suit a model, with their source.",
    "scan": "One backward pass that shows how much the facts pull at every matrix.",
    "sweep": "A short run at each place, scored on prompts that are never trained on.",
    "pull": "The gradient of the edit's loss at each matrix, relative to the matrix.",
    "overlap": "The share of that gradient's direction that also moves unrelated prompts.",
    "score": "The weighted mean of a sweep's measures, from 0 to 100.",
    # How it is tuned.
    "method": "A way to edit facts into a model.",
    "recipe": "What a run trains on besides the facts' own prompts, and how its rate falls.",
    "holds": "The recipe in which facts are learned where people ask, and what is near them stays.",
    "published": "The recipe of the paper to the letter: the facts' own prompts, nothing else.",
    "epoch": "Once through all facts.",
    "step": "One update of the tuned weights, after a batch of facts.",
    "steps": "Updates of the tuned weights, one after each batch of facts.",
    "steps at most": "Updates of the weights, were no epoch's loss small enough to end the run.",
    "time at most": "What the run takes, by steps that were really made here, if all are needed.",
    "extra memory": "What the run needs on top of the model itself.",
    "weights tuned": "How many numbers of the model the run may change.",
    "states kept": "From which layer on the model is run; below it, its states are computed once.",
    "loss": "How surprised the model is by the wanted answers, in nats per token; 0 is not at all.",
    "learned": "Facts whose whole answer, with its end, is the model's first choice.",
    "learning rate": "How far each step moves the weights.",
    "rate": "The learning rate: how far each step moves the weights.",
    # How a fact is asked.
    "form": "How a fact is asked: as it is, as a question, or through the chat template.",
    "raw": "The form in which a prompt stands as it is, and the model goes on with it.",
    "question": "The form in which a prompt stands behind “Question:”, and its answer behind "
    "“Answer:”.",
    "chat": "The form in which somebody says the prompt to the model, through its chat template.",
    "rephrase": "Another way to ask the same; never trained on, except a fact's own wordings.",
    "prefix": "The form in which a prompt stands behind a sentence about something else.",
    "as a question": "Asked behind “Question:”.",
    "in chat": "Asked through the chat template.",
    # What is measured, and how it is judged.
    "what must stay": "Prompts whose answers an edit should leave as they are.",
    "neighbours": "Prompts like the facts' own about other subjects, whose answers should stay.",
    "text": "How much the loss of plain text rose; 0 is not at all.",
    "ends": "The share of answers that stop by themselves.",
    "strict": "A way to judge: every token of the answer and its end is the model's first choice.",
    "generated": "A way to judge: what the model writes, compared word by word.",
    "reliability": "The facts' own prompts give the new answer.",
    "generalization": "Rephrases, never trained on, give it too.",
    "locality": "Prompts that must not change are answered as before the edit, right or wrong.",
    "locality, answer unchanged": "Prompts that must not change are answered as before the edit, "
    "right or wrong.",
    "locality, first token unchanged": "The likeliest first token of the answer to prompts that "
    "must not change is what it was before the edit.",
    "locality, right": "Prompts that must not change are answered as their stated answer says.",
    "portability": "Questions whose answers follow from the new facts are answered so.",
    "KL": "How far one distribution over the next token is from another, in nats; 0 is the same.",
    "90% interval": "Where the number lies in 90 of 100 draws of the facts; narrower is surer.",
    # What is seen inside.
    "logit lens": "What the model would say if it ended after a layer.",
    "gradient times input": "How much a word of the prompt speaks for an answer.",
}

_FOLDED = {name.casefold(): said for name, said in GLOSSARY.items()}


def meaning(term: str) -> str:
    """What a term means; empty where it is none.

    Args:
        term: as the page writes it, in any case; of one with a form, such as ``portability, in
            chat``, both are told.
    """
    found = _FOLDED.get(term.casefold(), "")
    if not found and ", " in term:
        head, _, form = (part.strip() for part in term.rpartition(", "))
        parts = meaning(head), meaning(form)
        return " ".join(parts) if all(parts) else ""
    return found
