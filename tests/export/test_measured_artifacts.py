"""What an export measures: the report, and the layers that are kept in fp32 because of it."""

import onnx
import pytest

from alrakis.export.accuracy.report import report_from_json, stored_reports
from alrakis.export.artifacts import Artifacts
from alrakis.export.store import Artifact
from alrakis.spec import STAGES
from alrakis.weights.types import StageWeights
from tests.export.small import Small, config, ensure, outlying, unmeasured

BROKEN = "transformer.h.1.mlp.c_fc"


NORM = "transformer.h.1.ln_2"


def test_a_first_export_measures_and_keeps_the_report() -> None:
    artifact = ensure(Small(), config())
    report = report_from_json(artifact.notes["report"])
    assert report
    assert (report.part, report.precision, report.kept) == ("coarse", "int8", ())
    assert report.top1 > 0.9
    (stored,) = stored_reports()
    assert stored["report"] == report.as_json()
    assert (stored["weights"], stored["folder"]) == ("small", str(artifact.folder))
    assert "top-1 agreement" in " ".join(stored["lines"])


@pytest.mark.parametrize(("weights", "precision"), [(unmeasured(), "int8"), (Small(), "fp32")])
def test_what_means_nothing_is_not_measured(weights: Small, precision: str) -> None:
    assert ensure(weights, config(precision)).notes["report"] is None


def test_it_can_be_measured_later() -> None:
    weights = unmeasured()
    artifact = ensure(weights, config())
    report = Artifacts(weights, config()).verify(artifact, weights.stage("coarse"))
    assert ensure(weights, config()).notes["report"] == report.as_json()


def kinds(artifact: Artifact, graph: str, linear: str) -> str:
    """The operator that runs a linear in a graph."""
    model = onnx.load(artifact.folder / f"{graph}.onnx", load_external_data=False)
    (node,) = [node for node in model.graph.node if f"{linear}.weight" in node.input]
    return str(node.op_type)


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_broken_layer_is_kept_in_fp32(factor: float) -> None:
    weights = Small(arrays=outlying("coarse", BROKEN, NORM, factor))
    broken = ensure(unmeasured(arrays=outlying("coarse", BROKEN, NORM, factor)), config())
    spoilt = Artifacts(weights, config()).verify(broken, weights.stage("coarse"))
    artifact = ensure(weights, config())
    report = report_from_json(artifact.notes["report"])
    assert report
    assert report.kept == (BROKEN,)
    assert report.kl_mean < spoilt.kl_mean / 5
    for graph in ("step", "prefill"):
        assert kinds(artifact, graph, BROKEN) == "MatMul"
        assert kinds(artifact, graph, BROKEN.replace("h.1", "h.0")) != "MatMul"
        assert BROKEN not in report.layers[graph]
    assert "kept in fp32: " + BROKEN in report.lines()


def test_no_layer_is_kept_where_the_config_does_not_ask() -> None:
    weights = Small(arrays=outlying("coarse", BROKEN, NORM, 1000.0))
    report = report_from_json(ensure(weights, config(verify_outlier=1e6)).notes["report"])
    assert report
    assert report.kept == ()
    assert report.worst["step"][0] == BROKEN


def test_too_much_lost_is_a_warning_with_the_numbers(caplog: pytest.LogCaptureFixture) -> None:
    ensure(Small(), config("int4", verify_max_kl=1e-9, verify_min_top1=1.0))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith("coarse at int4: top-1 agreement ")
    assert "is below 100.0%" in warning
    assert "nats is above 1e-09" in warning


def test_little_lost_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    ensure(Small(), config("int8", verify_max_kl=10.0, verify_min_top1=0.0))
    assert not caplog.records


def test_the_stages_of_one_session_are_measured_on_each_other() -> None:
    weights = Small()
    artifacts = Artifacts(weights, config())
    parts: list[StageWeights] = [weights.stage(stage) for stage in STAGES]
    notes = [artifacts.ensure(part).notes["report"]["tokens"] for part in parts]
    assert notes == ["spoken by the model"] * 3
