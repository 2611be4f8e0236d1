"""`python -m loraguild` is the command `loraguild`."""

from loraguild.cli import main

main()
