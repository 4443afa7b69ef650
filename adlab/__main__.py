"""`python -m adlab` is the command line."""

from adlab.cli.main import main

raise SystemExit(main())
