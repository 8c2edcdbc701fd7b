"""The Layers tab: where the next run tunes, and what is known about the places."""
