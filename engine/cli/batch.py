"""`alrakis batch`: many texts, each into an audio file; a stopped run can be continued."""

import argparse
import contextlib
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from alrakis.cli.arguments import (
    add_job_options,
    add_json_option,
    add_listening_options,
    given,
    job_asked,
    read_text,
    set_listener,
    tell_note,
)
from alrakis.cli.clusters import add_cluster_options, cluster_size, open_cluster, speaks
from alrakis.cli.reports import row_report
from alrakis.cli.showing import changes_line, show_json_line
from alrakis.errors import GenerationError

if TYPE_CHECKING:
    from alrakis.cluster.speaking import Cluster
    from alrakis.jobs.batch_folder import Finished
    from alrakis.jobs.batching import Batch

NAME = "batch"
SUMMARY = "say many texts, into an audio file each"
DESCRIPTION = """\
Say the texts of a file, each into an audio file of its own. They run as batches of one voice and of like
length, which is faster than one at a time. What is done stands in DIR/manifest.jsonl, so that the same
command goes on where it was stopped. A row that fails is written down there with the reason, and the others
go on."""
EXAMPLES = """\
examples:
  alrakis batch texts.txt -o out                      (a text a line: out/0001.wav, ...)
  alrakis batch texts.jsonl -o out --format flac --voice v2/en_speaker_6
  alrakis batch texts.txt -o out --subtitles srt      (out/0001.srt, ... as well)
  alrakis batch texts.csv -o out --seed 7             (row i has the seed 7 + i, from 0)
  alrakis batch texts.jsonl -o out --ray auto         (on all machines of a Ray cluster)

A JSONL file has an object a line, a CSV file a first line that names its columns. `text` is needed; `id`
names the audio file (default: the line's number), `file` names it with its extension; `voice`, `seed` and
`lang` are the row's own. A text that is too long for Bark is said in chunks and joined, as by `alrakis read`.

Run again, it makes what is missing: rows that failed, and rows that were added to the file or corrected in it
since. The audio that a corrected row had is kept, as in 0003.1.wav. The settings that it was begun with need
not be given again."""
DEFAULT_FORMAT = "wav"
TELL_S = 60.0

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=given,
        metavar="FILE",
        help="the texts: .jsonl, .csv or .txt, in UTF-8; or s3://BUCKET/FILE",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=given,
        metavar="DIR|URL",
        required=True,
        help="made if it is not there; or a place in a bucket, s3://BUCKET/DIR or gs:// (the extra `bucket`)",
    )
    parser.add_argument(
        "--format",
        choices=("wav", "flac", "ogg", "mp3"),
        help="of files that no row names (default: wav)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no closing line")
    parser.add_argument(
        "--subtitles", choices=("srt", "vtt", "json"), help="also write them, beside each audio file"
    )
    add_json_option(parser)
    add_listening_options(parser, words=True)
    add_cluster_options(parser)
    add_job_options(parser)


def run(args: argparse.Namespace) -> None:
    from alrakis.jobs.batch_texts import check_subtitles_files, read_items
    from alrakis.jobs.batching import Batch
    from alrakis.jobs.bucket import batch_folder
    from alrakis.jobs.rows import BatchTask, EngineSayer
    from alrakis.jobs.settings import job_settings, open_job_engine
    from alrakis.text.pace import language_of
    from alrakis.text.speakers import check_cast
    from alrakis.text.splitting import check_language

    if args.quiet:
        logger.setLevel(logging.WARNING)
    cluster_size(args)
    asked = job_asked(args)
    folder = batch_folder(args.output)
    before = folder.settings()
    file_format = asked.format or (before.format if before else DEFAULT_FORMAT)
    items = read_items(_texts(args.file), args.file, f".{file_format}")
    subtitles = f".{args.subtitles}" if args.subtitles else None
    if subtitles is not None:
        check_subtitles_files(items, args.file, subtitles)
    check_cast(asked.cast, (item.text for item in items))
    check_language(asked.lang)
    with folder.hold(), contextlib.ExitStack() as stack:
        folder.check(item.file for item in items)
        engine = stack.enter_context(open_job_engine(asked, before, speaks(args)))
        asked = replace(asked, format=file_format)
        settings = job_settings(engine, asked, before, asked.voice, asked.cast)
        languages = list({item.lang or settings.lang or language_of(item.text): None for item in items})
        aligning = set_listener(engine, args, languages)
        cluster = stack.enter_context(open_cluster(args, languages))
        sayer = cluster.sayer if cluster else EngineSayer
        batch = Batch(engine, BatchTask(items, settings, subtitles, aligning), folder, sayer)
        tell_note(engine)
        if batch.changed or batch.gone:
            logger.info("%s", changes_line("rows", batch.changed, len(items), batch.gone))
        _make(batch, len(items), args, cluster)
    if batch.failed:
        raise GenerationError(
            f"{len(batch.failed)} of {len(items)} rows failed; {folder.manifest_place} says why, "
            "and the same command tries them again"
        )


def _texts(file: str) -> str:
    if "://" not in file:
        return read_text([], file)
    from alrakis.books.opening import MOST_TEXT_BYTES, decode_text
    from alrakis.jobs.bucket import content_at

    return decode_text(content_at(file, MOST_TEXT_BYTES), file)


def _make(batch: "Batch", count: int, args: argparse.Namespace, cluster: "Cluster | None") -> None:
    from alrakis.progress import rows_bar

    so_far = _SoFar(cluster)
    try:
        with rows_bar(count, len(batch.done), args.quiet) as move:
            for item in batch.make():
                so_far.add(item)
                if item.error is not None:
                    logger.warning("row %s failed: %s", item.id, item.error)
                if args.json:
                    show_json_line(row_report(item, batch.subtitles))
                move(1, so_far.figures if cluster else "")
                so_far.tell_now_and_then(len(batch.done), count)
    except BaseException:
        logger.info(
            "%d of %d rows are in %s; the same command goes on from there",
            len(batch.done),
            count,
            args.output,
        )
        raise
    made, wall_s = so_far.made, time.perf_counter() - so_far.began_s
    speed = f", {so_far.audio_s:.2f} s of audio in {wall_s:.2f} s" if made else ""
    logger.info("made %d files in %s%s; %d were there", made, args.output, speed, len(batch.done) - made)


class _SoFar:
    """What was made in this run."""

    def __init__(self, cluster: "Cluster | None") -> None:
        self._cluster = cluster
        self.began_s = self._told_s = time.perf_counter()
        self.made = self._failed = 0
        self.audio_s = 0.0

    def add(self, item: "Finished") -> None:
        """A row is over."""
        self.made += item.state == "done"
        self._failed += item.state == "failed"
        self.audio_s += item.seconds

    @property
    def figures(self) -> str:
        """Of all machines together."""
        wall_s = time.perf_counter() - self.began_s
        rtf = f", RTF {wall_s / self.audio_s:.3f}" if self.audio_s else ""
        machines = len(self._cluster.nodes) if self._cluster else 1
        return f"{self.audio_s:.0f} s of audio{rtf}, {machines} machines, {self._failed} failed"

    def tell_now_and_then(self, done: int, count: int) -> None:
        """Log a line a minute, for a cluster's log, which shows no bar."""
        now_s = time.perf_counter()
        if self._cluster and now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            logger.info("%d of %d rows: %s", done, count, self.figures)
