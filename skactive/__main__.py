"""``python -m skactive``: the command ``skactive``."""

import sys

from skactive.cli import main

if __name__ == "__main__":
    sys.exit(main())
