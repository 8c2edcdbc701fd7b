"""Where and how to edit: scans, sweeps, studies, each with its settings, engine and score.

Knows nothing about pages, sessions or processes.
"""
