"""True files and messages of a server, and files of the cache, to damage."""

import json
from pathlib import Path

from tests.fuzz.cases import case_folder

SPEECH = {
    "model": "tts-1",
    "input": "MAN: Hello. WOMAN: Good morning, it is late.",
    "voice": "alloy",
    "response_format": "wav",
    "speed": 1.0,
    "stream_format": "audio",
    "stream": False,
    "seed": 5,
    "text_temp": 0.7,
    "cast": {"MAN": "demo/rms", "WOMAN": {"id": "demo/slt"}},
    "lang": "en",
}
ALIASES = """\
models = ["mine", "tts-1"]
[voices]
alloy = "demo/slt"
echo = ["v2/en_speaker_3", "demo/rms"]
"""


def write_server_seeds(root: Path) -> None:
    """Write the cases of a server's readers, and of the cache's."""
    (case_folder(root, "aliases", "all") / "names.toml").write_text(ALIASES)
    (case_folder(root, "keys", "two") / "keys").write_text("a-long-key-of-ann\nanother-long-key\n")
    (case_folder(root, "request", "speech") / "speech.json").write_text(json.dumps(SPEECH))
    ours = ("input", "voice", "seed", "text_temp", "cast", "lang")
    (case_folder(root, "request", "page") / "page.json").write_text(
        json.dumps({key: SPEECH[key] for key in ours})
    )
    (case_folder(root, "request", "mp3") / "samples.pcm").write_bytes(bytes(range(256)) * 8)
    _wyoming(root)
    _caches(root)


def _wyoming(root: Path) -> None:
    from wyoming.info import Describe
    from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

    voice = SynthesizeVoice(name="demo/slt", language="en", speaker="1")
    events = [Describe(), Synthesize("Hello.", voice), SynthesizeStart(voice=voice)]
    events += [SynthesizeChunk("It is late. Good"), SynthesizeChunk(" night."), SynthesizeStop()]
    plain, apart = b"", b""
    for event in (event.event() for event in events):
        plain += json.dumps(event.to_dict()).encode() + b"\n"
        data = json.dumps(event.data).encode()
        head = {"type": event.type, "version": "1.5", "data_length": len(data), "payload_length": 3}
        apart += json.dumps(head).encode() + b"\n" + data + b"abc"
    (case_folder(root, "Wyoming", "plain") / "events").write_bytes(plain)
    (case_folder(root, "Wyoming", "apart") / "events").write_bytes(apart)


def _caches(root: Path) -> None:
    tuned = {
        "format": "alrakis-tuned",
        "processor": "A processor",
        "usable_cores": 2,
        "gpu": "",
        "preset": "cpu-int8",
        "changes": {"threads": 2, "cpu_parts": ["text"]},
        "goal": "speed",
        "rtf": 1.5,
        "work": "a voice, 13 s",
        "day": "2026-01-01",
        "alrakis": "0.1.0",
    }
    (case_folder(root, "tuned", "one") / "tuned.json").write_text(json.dumps(tuned, indent=1))
    known = {json.dumps(["coarse", ["/a", 1, 2, 3, 4, 5]]): "0" * 64}
    (case_folder(root, "identities", "one") / "identities.json").write_text(json.dumps(known))
    hub = case_folder(root, "hub cache", "one")
    for name, content in (("refs/main", "0123abcd\n"), ("snapshots/0123abcd/vocab.txt", "[PAD]")):
        path = hub / "models--suno--bark" / name
        path.parent.mkdir(parents=True)
        path.write_text(content)
    (case_folder(root, "peer", "one") / "done.json").write_text(json.dumps({"torch": "2.9.0", "bark": "0.1"}))
