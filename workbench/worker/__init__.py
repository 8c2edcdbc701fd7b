"""The process that owns the model, what it does, and what starts and watches it.

Knows nothing about the page.
"""
