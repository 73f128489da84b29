"""`python -m huntpack` and `huntpack` are the same program."""

import sys


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    from huntpack import cli

    sys.exit(cli.main())


if __name__ == "__main__":
    main()
