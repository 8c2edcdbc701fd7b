"""The Evaluate tab: did it work, where, what did it break, and was the paper right."""
