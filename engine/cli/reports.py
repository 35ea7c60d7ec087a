"""What `--json` prints, an object a line. Fields may be added later; none goes away or changes its meaning.

docs/json.md tells of each field.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alrakis.books.book import Book
    from alrakis.jobs.batch_folder import Finished
    from alrakis.jobs.reading import Reading
    from alrakis.jobs.reading_manifest import ChunkState, Manifest
    from alrakis.jobs.reading_output import Output
    from alrakis.result import Result


def said_report(result: "Result", file: str, wall_s: float, subtitles: str | None) -> dict[str, Any]:
    """Of `say`."""
    return {
        "file": file,
        "subtitles": subtitles,
        "seconds": round(result.duration_s, 3),
        "wall_seconds": round(wall_s, 3),
        "text": result.text,
        "said": result.said,
        "seed": result.seed,
        "takes": [scored.facts() for scored in result.takes],
        "voice": result.voice,
        "weights": result.weights,
        "config": result.config,
    }


def read_report(
    reading: "Reading",
    files: "Mapping[Output, str | None]",
    seconds: Mapping[str, float],
    made_s: float,
    bound: float,
) -> dict[str, Any]:
    """Of `read`. files: with their subtitles. seconds: of each file, by its path.

    bound: the error from which on a chunk is doubtful.
    """
    settings, chunks = reading.manifest.settings, reading.wanted
    return {
        "files": [
            {
                "file": output.path,
                "subtitles": subtitles,
                "chapters": list(output.chapters),
                "seconds": round(seconds.get(output.path, 0.0), 3),
            }
            for output, subtitles in files.items()
        ],
        "chunks": len(chunks),
        "made_seconds": round(made_s, 3),
        "failed": [
            {"chunk": chunk.chunk, "text": chunk.text, "error": chunk.chosen.error}
            for chunk in chunks
            if chunk.chosen.state == "failed"
        ],
        "doubtful": [
            {"chunk": chunk.chunk, "text": chunk.text, **score} for chunk, score in reading.doubtful(bound)
        ],
        "silent": [chunk.chunk for chunk in chunks if chunk.chosen.state == "silent"],
        "seed": settings.seed,
        "voice": settings.voice,
        "weights": settings.weights,
        "config": settings.config.name,
    }


def book_report(book: "Book", chapters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of `read --list` for a book that is not begun."""
    return {
        "title": book.title,
        "author": book.author,
        "language": book.language,
        "chapters": list(chapters),
        "left_out": book.left_out,
    }


def manifest_report(manifest: "Manifest") -> dict[str, Any]:
    """Of `read --list` for a folder of work."""
    return {
        "chapters": [
            {"chapter": number, "title": title} for number, title in enumerate(manifest.chapters, 1)
        ],
        "chunks": list(map(_chunk, manifest.chunks)),
    }


def _chunk(chunk: "ChunkState") -> dict[str, Any]:
    return {
        "chunk": chunk.chunk,
        "chapter": chunk.chapter,
        "text": chunk.text,
        "written": chunk.written,
        "speaker": chunk.speaker,
        "take": chunk.take,
        "takes": [
            take.model_dump(include={"text", "state", "seconds", "seed", "voice", "error", "scores"})
            for take in chunk.takes
        ],
    }


def row_report(finished: "Finished", subtitles: str | None) -> dict[str, Any]:
    """Of `batch`, a row that is over: as it stands in the manifest. subtitles: their form, as in `.srt`."""
    from alrakis.jobs.batch_texts import subtitles_file

    there = subtitles is not None and finished.state == "done"
    return {
        **finished.model_dump(),
        "subtitles": subtitles_file(finished.file, str(subtitles)) if there else None,
    }
