"""`python -m stream`: the command line without an installed script."""

from stream.cli import main

if __name__ == "__main__":
    main()
