"""Tests of `workbench.ship`."""
