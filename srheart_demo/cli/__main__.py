"""``python -m srheart_demo.cli``, where the command ``srheart`` is not on the path."""

import sys

from srheart_demo.cli import main

sys.exit(main())
