"""A batch's folder in a bucket: nothing is half there, whatever ends, and two do not write into one."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alrakis.errors import InputError, OutputError
from alrakis.jobs import bucket
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.bucket import BucketFolder, batch_folder
from tests.cli.programs import Run, refused
from tests.jobs.batches import QUICK, write_items
from tests.jobs.books import job
from tests.processes import free_port, run_python


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "WATCH_S", 0.5)
    monkeypatch.setattr(bucket, "BEAT_S", 0.1)
    monkeypatch.setattr(bucket, "SETTLE_S", 0.3)


AWS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket on a server that speaks S3, which is found by the variables of AWS."""
    port = free_port()
    process = run_python(
        f"""
        import time
        from moto.server import ThreadedMotoServer
        ThreadedMotoServer("127.0.0.1", {port}).start()
        print("ready", flush=True)
        time.sleep(1e6)
        """,
        Path.cwd(),
    )
    assert process.stdout is not None
    assert any("ready" in line for line in process.stdout)
    variables = {**AWS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/sounds", method="PUT")
    urllib.request.urlopen(request).close()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield "s3://sounds/some/where"
    process.kill()
    process.communicate()


def files(folder: BatchFolder) -> dict[str, bytes]:
    """All that is there."""
    store = bucket.open_store(folder.url)  # type: ignore[attr-defined]
    names = [item["path"] for items in store.list() for item in items]
    return {name: bytes(store.get(name).bytes()) for name in sorted(names)}


ROWS: list[dict[str, Any]] = [
    {"text": "Hello.", "id": "a"},
    {"text": " ", "id": "empty"},
    {"text": "And goodbye.", "id": "b", "file": "b.flac"},
]


def test_a_batch_into_a_server_that_speaks_s3_is_that_on_a_disk(here: Path, run: Run, s3: str) -> None:
    write_items(here, *ROWS)
    run("batch", "t.jsonl", "-o", "out", *QUICK)
    ended = run("batch", "t.jsonl", "-o", s3, *QUICK)
    assert ended.code == 1
    assert f"1 of 3 rows failed; {s3}/manifest.jsonl says why" in ended.err
    there = files(batch_folder(s3))
    on_disk = {path.name: path.read_bytes() for path in (here / "out").iterdir() if path.name != ".lock"}
    assert there == on_disk
    write_items(here, {"text": "Corrected.", "id": "a"}, *ROWS[2:])
    again = run("batch", "t.jsonl", "-o", s3)
    assert "1 of 2 rows changed: a" in again.err
    assert "made 1 files" in again.err
    run("batch", "t.jsonl", "-o", "out")
    assert files(batch_folder(s3)) == {
        path.name: path.read_bytes() for path in (here / "out").iterdir() if path.name != ".lock"
    }


def test_texts_from_a_bucket(here: Path, run: Run, s3: str) -> None:
    write_items(here, *ROWS)
    store = bucket.open_store("s3://sounds")
    store.put("texts.jsonl", (here / "t.jsonl").read_bytes())
    store.put("none.jsonl", b"")
    run("batch", "t.jsonl", "-o", "out", *QUICK)
    ended = run("batch", "s3://sounds/texts.jsonl", "-o", "s3://sounds/from/there", *QUICK)
    assert ended.code == 1
    assert "1 of 3 rows failed" in ended.err
    there = files(batch_folder("s3://sounds/from/there"))
    assert there == {
        path.name: path.read_bytes() for path in (here / "out").iterdir() if path.name != ".lock"
    }
    refused(run("batch", "s3://sounds/none.jsonl", "-o", "x", *QUICK), "none.jsonl is empty")
    refused(run("batch", "s3://sounds/never.jsonl", "-o", "x", *QUICK), "cannot read s3://sounds/never.jsonl")
    refused(run("batch", f"file://{here}/no/t.jsonl", "-o", "x", *QUICK), f"cannot read file://{here}/no/")
    assert not (here / "no").exists()


def test_no_more_is_read_than_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert bucket.content_at(f"file://{tmp_path}/a", 3) == b"1234"
    assert bucket.content_at(f"file://{tmp_path}/a", 9) == b"12345"


def test_a_bucket_that_is_not_there(here: Path, run: Run, s3: str) -> None:
    write_items(here, *ROWS)
    ended = run("batch", "t.jsonl", "-o", "s3://nowhere/x", *QUICK)
    refused(ended, "s3://nowhere/x")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("url", ["what://a/b", "s3://"])
def test_an_address_of_no_kind_known(here: Path, run: Run, url: str) -> None:
    write_items(here, *ROWS)
    refused(run("batch", "t.jsonl", "-o", url, *QUICK), "is no place to write to")


def items(*names: str) -> list[BatchItem]:
    return [BatchItem(line=1, id=name, file=f"{name}.wav", text=name) for name in names]


def done(name: str) -> Any:
    from alrakis.jobs.batch_folder import Finished

    return Finished(id=name, file=f"{name}.wav", state="done", text=name, voice=None, seed=7, lang=None)


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_what_is_made_is_there_at_the_end_and_found_again(tmp_path: Path, kind: str) -> None:
    folder = BucketFolder(f"file://{tmp_path}/out" if kind == "file" else "memory:///")
    with folder.hold():
        assert folder.begin(job(seed=7), items("a", "b")).done == {}
        folder.save({"a.wav": b"sound"})
        folder.add([done("a")])
        assert folder.has("a.wav")
        assert not folder.has("b.wav")
    if kind == "file":
        folder = BucketFolder(folder.url)
    with folder.hold():
        assert folder.begin(job(seed=7), items("a", "b")).done.keys() == {"a"}
        assert folder.settings() == job(seed=7)
        changed = [replace(item, text="other") for item in items("a")]
        assert folder.begin(job(seed=7), changed).changed == ["a"]
        folder.save({"a.wav": b"other sound"})
        folder.add([done("a")])
    store = folder._store
    assert bytes(store.get("a.1.wav").bytes()) == b"sound"
    assert bytes(store.get("a.wav").bytes()) == b"other sound"
    folder.rename("never.wav", "x.wav")
    assert not folder.has("x.wav")


def test_a_process_that_is_killed_leaves_whole_files_and_what_it_told_of(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/out"
    process = run_python(
        f"""
        import itertools
        from alrakis.jobs import bucket
        from tests.jobs.test_bucket import done, items
        from tests.jobs.books import job
        bucket.PUT_S = 0.05
        folder = bucket.BucketFolder({url!r})
        with folder.hold():
            folder.begin(job(seed=7), items(*map(str, range(100000))))
            for number in itertools.count():
                folder.save({{f"{{number}}.wav": b"sound" * 20000}})
                folder.add([done(str(number))])
        """,
        Path(__file__).parents[2],
    )
    path = tmp_path / "out" / "manifest.jsonl"
    while not (path.exists() and path.read_bytes().count(b"\n") > 50):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    folder = BucketFolder(url)
    with folder.hold():
        found = folder.begin(job(seed=7), items(*map(str, range(100000)))).done
    assert len(found) >= 50
    for name in found:
        assert len((tmp_path / "out" / f"{name}.wav").read_bytes()) == 100_000


def test_of_two_who_find_a_dead_one_s_lock_one_goes_on(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/out"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").write_text("of one who was killed")
    both, inside = threading.Barrier(2), threading.Event()

    def contend() -> bool:
        both.wait()
        try:
            with BucketFolder(url).hold():
                inside.set()
                time.sleep(1.0)
        except InputError:
            inside.wait()
            return False
        return True

    with ThreadPoolExecutor(2) as contenders:
        ended = [contenders.submit(contend) for _ in range(2)]
    assert sorted(one.result() for one in ended) == [False, True]


def test_whoever_was_away_for_so_long_that_another_took_its_place_ends(tmp_path: Path) -> None:
    folder, lock = BucketFolder(f"file://{tmp_path}/out"), tmp_path / "out" / ".lock"

    def go_on() -> None:
        with folder.hold():
            folder.begin(job(seed=7), items("a"))
            lock.write_text("of another")
            manifest = folder.content()
            while not folder._taken:
                time.sleep(0.01)
            folder.save({"a.wav": b"sound"})
            folder.add([done("a")])
            assert folder.content() == manifest

    with pytest.raises(OutputError, match="another process has begun to work in file://"):
        go_on()
    assert lock.read_text() == "of another"


def test_two_do_not_write_into_one(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/out"
    with (
        BucketFolder(url).hold(),
        pytest.raises(InputError, match="another process is at work in file://"),
        BucketFolder(url).hold(),
    ):
        pass
    with BucketFolder(url).hold():
        pass
    (tmp_path / "out" / ".lock").write_text("of one who was killed")
    with BucketFolder(url).hold():
        pass


@pytest.mark.skipif(os.geteuid() == 0 and sys.platform == "linux", reason="root may write anywhere")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot write in"), BucketFolder(f"file://{tmp_path}/out").hold():
        pass


def test_a_place_that_is_gone_with_the_command(here: Path, run: Run) -> None:
    write_items(here, *ROWS)
    refused(run("batch", "t.jsonl", "-o", "memory:///x", *QUICK), "would be gone when the command ends")


@pytest.mark.parametrize("code", [400, 401, 403])
def test_a_server_that_refuses(here: Path, run: Run, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(code)
            self.send_header("content-length", "0")
            self.end_headers()

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *told: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    write_items(here, *ROWS)
    ended = run("batch", "t.jsonl", "-o", "s3://closed/x", *QUICK)
    server.shutdown()
    refused(ended, "s3://closed/x")
    assert len(ended.err.splitlines()) == 1


def test_a_file_that_cannot_be_put_ends_the_run_and_is_not_told_of(tmp_path: Path) -> None:
    folder = BucketFolder(f"file://{tmp_path}/out")

    def put() -> None:
        names = ["a", "b", *map(str, range(1000))]
        with folder.hold():
            folder.begin(job(seed=7), items(*names))
            (tmp_path / "out" / "b.wav").mkdir()
            for name in names:
                folder.save({f"{name}.wav": b"sound", f"{name}.srt": b"words"})
                folder.add([done(name)])
                time.sleep(0.01)

    with pytest.raises(OutputError, match="cannot write in file://"):
        put()
    told = [json.loads(line)["id"] for line in folder.content().decode().splitlines()[1:]]
    assert told[0] == "a"
    assert "b" not in told
    assert len(told) < 1000
    assert all((tmp_path / "out" / f"{name}.wav").is_file() for name in told)


def test_a_path_is_a_folder(tmp_path: Path) -> None:
    assert type(batch_folder(str(tmp_path))) is BatchFolder


def test_without_obstore_its_extra_is_named(here: Path) -> None:
    write_items(here, *ROWS)
    code = f"""
import sys
sys.modules["obstore"] = sys.modules["obstore.exceptions"] = None
from alrakis.cli import main
main({["batch", "t.jsonl", "-o", "s3://a/b", *QUICK]!r})
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "alrakis: error: obstore is not installed: pip install 'alrakis[bucket]'"
    ]
