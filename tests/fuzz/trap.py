"""What a hostile file calls. If it is ever called, a file has run code."""

sprung: list[int] = []


def spring(*anything: object) -> None:
    sprung.append(1)
