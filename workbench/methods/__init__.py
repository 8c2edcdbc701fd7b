"""Ways to edit a model: one file a method, and what they share.

Facts in, a patch out. Knows nothing about pages, plots, sessions or processes.
"""
