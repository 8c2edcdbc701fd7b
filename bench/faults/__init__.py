"""What the workbench makes of faults: kills, full disks, no memory, long use.

`python -m bench.faults` prints a table. Every figure is counted on sessions of its own.
"""
