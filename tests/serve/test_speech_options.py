"""What is our own in a request: how words are spelled, numbers in words, and the best of several takes."""

from typing import Any

import numpy as np
import pytest

from alrakis.sampling import Options
from alrakis.serve.asked import MOST_PATTERNS, MOST_TABLES, MOST_TAKES, MOST_WORDS, SpeechRequest
from tests.serve.running import SHORT, Running

SPELLED = "Suno said it: 5 kr."
LEXICON = {"words": {"Suno": "soon oh"}, "patterns": {r"(\d+) ?kr\b": r"\1 crowns"}}


def samples(server: Running, **body: Any) -> Any:
    answer = server.post(**{"seed": 7, "response_format": "pcm", "stream": False, **body})
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2").astype(np.float32) / 32768


def same(one: Any, other: Any) -> bool:
    return len(one) == len(other) and bool(np.abs(one - other).max() < 1e-3)


def test_a_lexicon_spells_words(server: Running) -> None:
    expected = server.alone(SPELLED, seed=7, lexicon=LEXICON)
    assert not same(expected, server.alone(SPELLED, seed=7))
    assert same(samples(server, input=SPELLED, lexicon=LEXICON), expected)


def test_a_lexicon_by_language_and_speaker(server: Running) -> None:
    text = "MAN: Suno.\nWOMAN: Suno."
    tables = {"language": {"en": {"words": {"Suno": "soon"}}}, "speaker": {"MAN": {"words": {"Suno": "oh"}}}}
    cast = {"MAN": "demo/rms", "WOMAN": "demo/slt"}
    expected = server.alone(text, seed=7, cast=cast, lexicon=tables)
    assert same(samples(server, input=text, cast=cast, lexicon=tables), expected)
    plan = server.post("/api/speech", input=text, cast=cast, lexicon=tables, seed=7).text
    assert '"text": "Suno.", "said": "oh."' in plan


def test_numbers_are_put_in_words(server: Running) -> None:
    text = "It is 5 ft 11 in."
    expected = server.alone(text, seed=7, normalise=True)
    assert same(samples(server, input=text, normalise=True), expected)


def test_the_best_of_several_takes(server: Running) -> None:
    expected = server.alone(SHORT, seed=7, takes=3)
    answer = server.post(input=SHORT, seed=7, takes=3, response_format="pcm")
    assert same(np.frombuffer(answer.content, "<i2").astype(np.float32) / 32768, expected)
    assert float(answer.headers["x-alrakis-error"]) >= 0
    assert same(samples(server, input=SHORT, takes=3, until=100), server.alone(SHORT, seed=7))
    told = server.post("/api/speech", input=SHORT, seed=7, takes=2).text
    assert '"takes": 2' in told
    assert '"error": null' not in told
    assert "x-alrakis-error" not in server.post(input=SHORT, seed=7).headers
    assert server.idle


def test_takes_count_in_the_queue() -> None:
    with Running(max_queued_s=6.0) as full:
        stream = "It is late. " * 4
        single = full.service.queue
        assert full.post(input=stream, takes=MOST_TAKES, seed=1).status_code == 200  # into an empty queue
        assert single.seconds == 0
        held = full.service.queue.enter(2.0)
        answer = full.post(input=stream, takes=MOST_TAKES, seed=1)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
        held.leave()


def words(count: int) -> dict[str, str]:
    return {f"w{number}": "x" for number in range(count)}


def patterns(count: int) -> dict[str, str]:
    return {f"p{number}+": "x" for number in range(count)}


def tables(count: int) -> dict[str, Any]:
    return {f"t{number}": {} for number in range(count)}


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"lexicon": "names.toml"}, "lexicon", "dict"),
        ({"lexicon": ["a"]}, "lexicon", ""),
        ({"lexicon": {"word": {}}}, "lexicon.word", "no field"),
        ({"lexicon": {"words": {"Suno": 5}}}, "lexicon.words.Suno", "string"),
        ({"lexicon": {"words": {"": "x"}}}, None, ""),
        ({"lexicon": {"words": {" ": "x"}}}, "lexicon", "empty word"),
        ({"lexicon": {"words": {"a": "b", "b": "a"}}}, "lexicon", "circle"),
        ({"lexicon": {"patterns": {"(": "x"}}}, "lexicon", "broken"),
        ({"lexicon": {"patterns": {"a+b+": "x"}}}, "lexicon", "endless"),
        ({"lexicon": {"patterns": {"a?" * 20 + "a": "x"}}}, "lexicon", "endless"),
        ({"lexicon": {"language": {"en": {"patterns": {"(a+)+": "x"}}}}}, "lexicon.language.en", "endless"),
        ({"lexicon": {"words": words(MOST_WORDS + 1)}}, "lexicon.words", str(MOST_WORDS)),
        ({"lexicon": {"patterns": patterns(MOST_PATTERNS + 1)}}, "lexicon.patterns", str(MOST_PATTERNS)),
        (
            {"lexicon": {"words": words(MOST_WORDS), "speaker": {"MAN": {"words": words(1)}}}},
            "lexicon",
            str(MOST_WORDS),
        ),
        (
            {
                "lexicon": {
                    "language": {f"l{n}": {} for n in range(5)},
                    "speaker": {f"s{n}": {} for n in range(5)},
                }
            },
            "lexicon",
            str(MOST_TABLES),
        ),
        ({"lexicon": {"words": {"a" * 101: "x"}}}, None, "100"),
        ({"lexicon": {"words": {"a": "x" * 201}}}, "lexicon.words.a", "200"),
        ({"normalise": 1}, "normalise", "bool"),
        ({"normalise": "yes"}, "normalise", "bool"),
        ({"takes": 0}, "takes", "1"),
        ({"takes": MOST_TAKES + 1}, "takes", str(MOST_TAKES)),
        ({"takes": 2.5}, "takes", "integer"),
        ({"takes": True}, "takes", "integer"),
        ({"until": 0.1}, "until", "give takes"),
        ({"takes": 3, "until": -1}, "until", "0"),
        ({"takes": 3, "until": "low"}, "until", "number"),
    ],
)
def test_mistakes_are_named(server: Running, body: dict[str, Any], param: str | None, told: str) -> None:
    for path in ("/v1/audio/speech", "/api/speech"):
        answer = server.post(path, input=SHORT, **body)
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert param is None or error["param"] == param, error
        assert told in error["message"], error
    assert server.idle


def test_what_is_left_out_is_as_ever() -> None:
    assert SpeechRequest(input=SHORT).options == Options()
    asked = SpeechRequest.model_validate({"input": SHORT, "lexicon": LEXICON, "takes": 2, "until": 0.5})
    assert asked.options == Options(lexicon=LEXICON, takes=2, until=0.5)
