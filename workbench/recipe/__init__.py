"""Plain data that every side speaks: settings, presets, locations, events, errors.

Knows nothing about torch, gradio, files or processes.
"""
