"""A base and its edits served as one OpenAI-compatible endpoint.

One process, one model in memory; edits are switched, not loaded. Whoever may ask, and under which
names the server answers, is decided as for the page.
"""
