"""``python -m dal`` is the command ``dal``."""

import sys

from dal.cli import main

if __name__ == "__main__":
    sys.exit(main())
