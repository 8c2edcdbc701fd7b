"""What is measured of a model before and after an edit, by which protocol, and how sure.

Knows nothing about how an edit was made, nor about pages, sessions or processes.
"""
