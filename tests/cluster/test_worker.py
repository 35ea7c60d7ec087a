"""What runs on a machine of the cluster, without a cluster."""

import logging
import os
import pickle
from dataclasses import replace
from typing import Any

import pytest

from alrakis import Engine
from alrakis.cluster import worker as workers
from alrakis.cluster.facts import facts_here
from alrakis.cluster.worker import ChunkJob, Recipe, RowJob, Worker
from alrakis.config import load_config
from alrakis.errors import BackendError, InputError
from alrakis.flight.journey import Manner
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.rows import MadeRow, PlannedItem
from alrakis.sampling import Options
from tests.jobs.books import job

OPTIONS = Options(max_gen_duration_s=0.3)
CONFIG = load_config("cpu-fp32", {"max_batch": 2})


@pytest.fixture
def recipe() -> Recipe:
    """One for the demo voice."""
    settings = job(seed=1, config=CONFIG, options=OPTIONS)
    plain = Recipe(settings, {}, threads=1)
    return replace(plain, known=facts_here(plain.need))


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has a process to itself: what it changes there is undone here."""
    logger = logging.getLogger("alrakis")
    monkeypatch.setattr(logger, "handlers", list(logger.handlers))
    monkeypatch.setenv(workers.SMALL, os.environ.get(workers.SMALL, ""))


def row(text: str, **more: Any) -> RowJob:
    item = BatchItem(line=1, id="a", file="a.wav", text=text)
    return RowJob(PlannedItem(item, text, (), 4, None, **more))


def test_jobs_travel_and_are_done(recipe: Recipe) -> None:
    worker = Worker()
    assert worker.open(pickle.loads(pickle.dumps(recipe))) == (facts_here(recipe.need), [])
    with Engine("demo", CONFIG, threads=1) as engine:
        result = engine.generate("Hello.", seed=4, options=OPTIONS)
    done = worker.do(pickle.loads(pickle.dumps(row("Hello."))))
    assert isinstance(done.value, MadeRow)
    assert done.value.files == {"a.wav": result.encoded(".wav")}
    chunk = ChunkJob("Hello.", Manner(None, 4, OPTIONS), "en", None, None)
    said = worker.do(pickle.loads(pickle.dumps(chunk))).value
    assert (said.audio == result.audio).all()
    assert (pickle.loads(pickle.dumps(said)).fine_tokens == result.fine_tokens).all()


def test_an_error_of_a_job_comes_back_and_a_defect_is_raised(recipe: Recipe) -> None:
    worker = Worker()
    with pytest.raises(BackendError, match="not open"):
        worker.do(row("Hello."))
    worker.open(recipe)
    error = pickle.loads(pickle.dumps(worker.do(row("\u3053\u308c\u306f")).value))
    assert isinstance(error, InputError)
    assert "nothing of" in str(error)
    with pytest.raises(AttributeError):
        worker.do(RowJob(None))  # type: ignore[arg-type]


def test_warnings_go_with_what_is_done(recipe: Recipe) -> None:
    worker = Worker()
    worker.open(recipe)
    logging.getLogger("alrakis").warning("look at this")
    assert "look at this" in worker.do(row("Hello.")).notes
    assert worker.do(row("Hello.")).notes == []


def test_a_machine_that_will_not_do_says_why(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recipe.known is not None
    other = replace(recipe, known=replace(recipe.known, weights="abc"))
    assert Worker().open(other)[1] == ["its weights are others: None, not abc"]
    lost = replace(
        recipe, settings=recipe.settings.model_copy(update={"weights": "/nowhere/at/all"}), known=None
    )
    assert "there is no folder /nowhere/at/all" in Worker().open(lost)[1][0]


def test_bark_is_the_one_that_the_planning_machine_means(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(workers.SMALL, "True")
    Worker().open(replace(recipe, small=""))
    assert os.environ[workers.SMALL] == ""
