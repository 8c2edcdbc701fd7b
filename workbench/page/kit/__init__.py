"""What the tabs of the page are built from. Knows nothing about what a tab shows."""
