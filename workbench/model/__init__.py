"""A language model in memory: loading, layers, hidden states, generation, tokens, patches.

Knows nothing about how weights are tuned or measured, nor about pages, sessions or processes.
"""
