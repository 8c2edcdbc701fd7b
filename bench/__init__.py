"""What is timed. Each script compares in one run, on one machine, and prints ratios."""
