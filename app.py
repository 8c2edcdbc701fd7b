"""Opens the workbench in a browser: the same as `workbench serve`, with the same options."""

import sys

from workbench.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "serve")
    main()
