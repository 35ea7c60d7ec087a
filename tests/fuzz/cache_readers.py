"""Files of alrakis's own cache and of the hub's: a bad disk may have had them."""

import os
from pathlib import Path
from unittest import mock

from alrakis.bench.peers import environments
from alrakis.evidence import tuned
from alrakis.files import memo
from alrakis.places import hub
from tests.fuzz import mutate
from tests.fuzz.reader import Reader, only


def read_tuned(folder: Path) -> None:
    with mock.patch.object(tuned, "tuned_path", return_value=only(folder)):
        found = tuned.tuned_here()
        if found:
            str(found.words)


def read_identities(folder: Path) -> None:
    with mock.patch.object(memo, "own_cache", return_value=folder):
        memo.remembered("coarse", [], lambda: "computed")


def read_hub(folder: Path) -> None:
    with mock.patch.dict(os.environ, HF_HUB_CACHE=str(folder)):
        hub.cached("suno/bark", "vocab.txt")


def read_peer(folder: Path) -> None:
    environments.versions_in(only(folder))


CACHE_READERS = [
    Reader("tuned", {"": mutate.damage_json}, read_tuned, 6),
    Reader("identities", {"": mutate.damage_json}, read_identities, 4),
    Reader("hub cache", {"main": mutate.damage_bytes}, read_hub, 1),
    Reader("peer", {"": mutate.damage_json}, read_peer, 4),
]
