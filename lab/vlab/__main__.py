"""Entry point of `python -m vlab`, which the shim `lab/lab` calls.

It only hands over to the command line and must not hold logic.
"""

import sys

from vlab.cli import main

sys.exit(main(sys.argv[1:]))
