"""Facts in, patch out: models, hidden states, LocFT-BF, patches, probes, metrics.

Knows nothing about pages, plots, sessions or processes, and runs alone on a GPU machine.
"""
