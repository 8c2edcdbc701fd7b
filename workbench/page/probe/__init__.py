"""The Probe tab: any prompt before and after, and the answers to a run's facts."""
