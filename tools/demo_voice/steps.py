"""The steps from texts to packed weights, in order, and how much of each: the whole voice, or a toy of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo_voice.training import Plan

SPEAKERS = ("slt", "rms")  # the first is who speaks where no voice is given


@dataclass(frozen=True)
class Work:
    """Where the steps work, and how much they do.

    from_nothing: training begins with random parameters, else with those in the package. new_codec: the
    codec is trained too, and the coarse and fine models learn its new codes. new_refiner: the refiner,
    codebooks 2 to 7 and the decoder are trained on, and the fine model follows.
    """

    folder: Path
    shards: int
    utterances: int  # a shard
    plans: dict[str, Plan]
    from_nothing: bool = False
    new_codec: bool = False
    new_refiner: bool = False
    speakers: tuple[str, ...] = SPEAKERS

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def packed(self) -> Path:
        return self.folder / "packed"

    @property
    def new_codes(self) -> bool:
        """Whether all codes become others, so that what was packed knows none of them."""
        return self.from_nothing or self.new_codec


SHARD = 1000
WHOLE = {
    "codec": Plan(1100, 900),
    "guess": Plan(200, 150),
    "refine": Plan(1000, 1400),
    "decoder": Plan(250, 450, peak=0.7),
    "text": Plan(1400, 1600, peak=0.6),
    "coarse": Plan(500, 1400, peak=0.5),
    "fine": Plan(300, 300, peak=0.6),
}
TOY = dict.fromkeys(WHOLE, Plan(2, 2))


def whole(folder: Path, **asked: bool) -> Work:
    """All of it, from the packed voice on: hours. From nothing it takes more of every plan.

    asked: from_nothing, new_codec or new_refiner.
    """
    return Work(folder, shards=12, utterances=SHARD, plans=WHOLE, **asked)  # type: ignore[arg-type]


def toy(folder: Path, **asked: bool) -> Work:
    """Every step once, in a few minutes. It does not speak."""
    return Work(folder, shards=1, utterances=24, plans=TOY, **asked)  # type: ignore[arg-type]


def speech(work: Work) -> None:
    """texts said by flite"""
    from demo_voice.speech import make_shard

    for speaker in work.speakers:
        for number in range(work.shards):
            print(make_shard(work.data, speaker, number, work.utterances), flush=True)


def codec(work: Work) -> None:
    """train the codec whole: encoder, codebooks, decoder; only if asked for, as new codes end old models"""
    from demo_voice.codec_stage import train_codec
    from demo_voice.pack import packed_codec

    if work.new_codes:
        start = None if work.from_nothing else packed_codec()
        train_codec(work.folder, work.plans["codec"], speakers=work.speakers, start=start)
    else:
        print("the packed codec is kept: the coarse and fine models speak its codes (--new-codec trains it)")


def refine(work: Work) -> None:
    """train the refiner, which says what codebooks 2 to 7 are: what the coarse ones imply of the sound"""
    from demo_voice.pack import trained_codec
    from demo_voice.refine_stage import guess, train_refiner

    if work.new_codes:
        guess(work.folder, work.plans["guess"], speakers=work.speakers, codec=trained_codec(work.folder))
    if work.new_codes or work.new_refiner:
        train_refiner(
            work.folder,
            work.plans["refine"],
            speakers=work.speakers,
            codec=trained_codec(work.folder),
            begin=work.new_codes,
        )
    else:
        print("the packed refiner is kept: the fine model speaks its codes (--new-refiner trains it)")


def encode(work: Work) -> None:
    """samples to coarse codes"""
    from demo_voice.encode import encode_shard
    from demo_voice.pack import trained_codec
    from demo_voice.speech import shards

    trained = trained_codec(work.folder)
    for speaker in work.speakers:
        for path in shards(work.data, speaker):
            encode_shard(path, trained)
            print(path, flush=True)


def text(work: Work) -> None:
    """train the text model"""
    from demo_voice import text_stage
    from demo_voice.pack import packed

    start = None if work.from_nothing else packed("text")
    # what has learned to follow the text needs less guidance, and few short prefixes
    guide, full = (0.3, 0.25) if work.from_nothing else (0.1, 0.35)
    text_stage.train(
        work.folder, work.plans["text"], guide=guide, full=full, speakers=work.speakers, start=start
    )


def coarse(work: Work) -> None:
    """train the coarse model"""
    from demo_voice import coarse_stage
    from demo_voice.pack import packed

    start = None if work.from_nothing else packed("coarse")
    coarse_stage.train(work.folder, work.plans["coarse"], full=0.2, speakers=work.speakers, start=start)


def fine(work: Work) -> None:
    """train the fine model"""
    from demo_voice import fine_stage
    from demo_voice.pack import packed, trained_codec

    start = None if work.new_codes else packed("fine")
    codec = trained_codec(work.folder)
    fine_stage.train(work.folder, work.plans["fine"], speakers=work.speakers, start=start, codec=codec)


def decoder(work: Work) -> None:
    """train the codec's decoder alone, over codes as the models draw them, and over coarse ones alone"""
    from demo_voice.codec_stage import train_decoder
    from demo_voice.pack import trained_coarse, trained_codec, trained_fine

    train_decoder(
        work.folder,
        work.plans["decoder"],
        speakers=work.speakers,
        codec=trained_codec(work.folder),
        coarse=trained_coarse(work.folder),
        fine=trained_fine(work.folder),
    )


def pack(work: Work) -> None:
    """checkpoints to int8 files, in packed/ of the work folder"""
    from demo_voice.pack import pack, report

    pack(work.folder, work.packed)
    print(report(work.packed))


def voices(work: Work) -> None:
    """voices of the packed files, made by the engine"""
    from demo_voice.pack import trained_codec
    from demo_voice.voices import make_voices

    make_voices(work.data, work.packed, work.speakers, trained_codec(work.folder))


def listen(work: Work) -> None:
    """what a recogniser hears of the packed files"""
    from demo_voice.evaluate import SETS, evaluate

    limit = 1 if work.utterances < SHARD else None
    evaluate(work.packed, ("cpu-fp32",), SETS, greedy=True, limit=limit)


Step = Callable[[Work], None]
STEPS: tuple[Step, ...] = (
    speech,
    codec,
    refine,
    encode,
    text,
    coarse,
    fine,
    decoder,
    pack,
    voices,
    listen,
)
