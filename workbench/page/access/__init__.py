"""Who may use the page: from which address, with which key, and what a browser may do with it.

Knows nothing about sessions, nor about what is served.
"""
