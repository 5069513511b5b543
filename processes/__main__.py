"""``python -m processes``: the same as the installed command ``surgeline``."""

from processes.cli import main

main()
