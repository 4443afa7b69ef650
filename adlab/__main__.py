"""`python -m adlab` is the command line."""

from adlab.cli import main

raise SystemExit(main())
