"""Plots: pure functions from a table to a Plotly figure, for the page and the command line."""
