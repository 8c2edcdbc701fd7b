"""What every action is made of: settings, events, the wish to stop, the runner, records as data.

Knows nothing about torch, models, sessions or the page.
"""
