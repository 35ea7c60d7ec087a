"""`python -m alrakis.bench.figures`: prints one of the tables."""

from alrakis.bench.figures.tables import main

if __name__ == "__main__":
    main()
