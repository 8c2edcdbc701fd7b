"""The Runs tab: every run, one unfolded or two compared."""
