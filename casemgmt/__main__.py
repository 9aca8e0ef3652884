"""``python -m casemgmt`` is the ``casemgmt`` command."""

from casemgmt.cli import main

raise SystemExit(main())
