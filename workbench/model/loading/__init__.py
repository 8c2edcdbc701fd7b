"""Loading, step by step: where a model lies, what its files say, and what becomes of them.

Each file is one question that is answered before a model is edited; `workbench.model.load` asks
them in their order.
"""
