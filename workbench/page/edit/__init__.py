"""The Edit tab: the settings of the next run, Start, and the run as it goes."""
