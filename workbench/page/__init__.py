"""The page: one file a tab, drawn from what the session keeps.

Invariants: nothing here imports torch, and no state lives in the page that a refresh could lose.
"""

from workbench.work.proxies import settle_proxies

# Before Gradio is imported, which looks at the variables of proxies at once.
settle_proxies()
