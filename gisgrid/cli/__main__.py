"""``python -m gisgrid.cli`` is ``gisgrid``."""

from gisgrid.cli import main

if __name__ == "__main__":
    main()
