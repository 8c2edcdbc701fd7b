"""The recipe of the built-in model: its world, its phrasings, its training, its samples.

The model is a small Llama-style causal LM, trained from scratch on the tables in
`world/` and on a few general skills, so that the whole workbench runs on a laptop without
a GPU or a network. This package is needed to make or to measure the model, never to use
it: `assets/builtin` loads with plain transformers. It knows nothing about editing.
"""
