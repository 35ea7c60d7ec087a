"""What deploy/ has is right, as far as a machine without Docker can tell."""

import argparse
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from alrakis.cli.clusters import cluster_size
from alrakis.cli.program import make_parser
from alrakis.places.variables import OWN, PREFIX
from alrakis.serve.settings import Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


def texts() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(DEPLOY.iterdir())}


def manifests(name: str) -> Any:
    """What a YAML file of it holds."""
    return yaml.safe_load(texts()[name])


def batch_command(words: list[str]) -> argparse.Namespace:
    """A command that is told there, read by our own parser."""
    assert words[:2] == ["alrakis", "batch"]
    return make_parser().parse_args(words[1:])


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with their lines joined."""
    text = re.sub(r"^#.*\n", "", texts()["Dockerfile"], flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def test_extras_that_are_named_exist() -> None:
    for name, text in texts().items():
        for extras in re.findall(r"(?:alrakis|\.)\[([\w,]+)\]", text):
            assert set(extras.split(",")) <= set(EXTRAS), name
            assert {"serve", "ray"} & set(extras.split(","))


def test_variables_that_are_named_are_settings() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | set(OWN)
    for name, text in texts().items():
        assert set(re.findall(rf"\b{PREFIX}\w+", text)) <= known, name


def test_the_image_runs_as_somebody_and_is_looked_after() -> None:
    found = dict(instructions())
    assert {"USER", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "EXPOSE", "STOPSIGNAL"} <= found.keys()
    assert found["USER"] not in ("root", "0")
    assert all(
        value.endswith(("-slim AS build", "-slim")) for name, value in instructions() if name == "FROM"
    )
    arguments = re.findall(r'"([^"]+)"', found["ENTRYPOINT"])
    assert arguments[0] == "alrakis"
    assert make_parser().parse_args(arguments[1:]).run
    written = re.findall(r"=(/\S+)", found["ENV"])
    for path in written:
        assert path.startswith((found["VOLUME"], "/alrakis/bin")), (
            "anything else is in a root that is read-only"
        )


def test_the_health_check_is_a_program() -> None:
    check = dict(instructions())["HEALTHCHECK"]
    code = check.partition('"-c", "')[2].rpartition('"')[0]
    compile(code, "health check", "exec")
    assert "/health" in code


def test_the_image_gets_what_the_package_needs() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"][
        "package-dir"
    ]
    let_in = {line[1:] for line in texts()["Dockerfile.dockerignore"].splitlines() if line.startswith("!")}
    assert {*packages.values(), "pyproject.toml", "README.md", "LICENSE"} == let_in
    assert texts()["Dockerfile.ray.dockerignore"] == texts()["Dockerfile.dockerignore"]
    assert all((ROOT / name).exists() for name in let_in)


def test_the_service_runs_a_command_that_is_one(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(texts()["alrakis.service"])
    words = shlex.split(unit["Service"]["ExecStart"])
    assert Path(words[0]).name == "alrakis"
    assert make_parser().parse_args(words[1:]).run
    assert unit["Service"]["DynamicUser"] == unit["Service"]["NoNewPrivileges"] == "yes"
    grace = Settings.model_fields["grace_s"].default
    assert int(unit["Service"]["TimeoutStopSec"]) > grace
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here; the rest was looked at")
    file = tmp_path / "alrakis.service"
    file.write_text(texts()["alrakis.service"].replace(words[0], "/bin/true"), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_compose_file_names_what_exists() -> None:
    text = texts()["compose.yaml"]
    assert re.search(r"dockerfile: (\S+)", text)[1] == "deploy/Dockerfile"  # type: ignore[index]
    assert "read_only: true" in text
    compose = ["docker", "compose", "version"]
    if shutil.which("docker") and subprocess.run(compose, capture_output=True).returncode == 0:
        command = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
        environment = {**os.environ, "ALRAKIS_API_KEY": "a-long-key"}
        assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_the_job_on_kubernetes_is_one() -> None:
    """By its kinds and names, as KubeRay describes a RayJob; there is no Kubernetes here."""
    job = manifests("kuberay-batch.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    known = {"backoffLimit", "entrypoint", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"}
    assert set(spec) == known | {"rayClusterSpec"}
    asked = batch_command(shlex.split(spec["entrypoint"]))
    assert asked.ray == "auto"
    assert asked.file.startswith("s3://")
    assert asked.output.startswith("s3://")
    cluster = spec["rayClusterSpec"]
    (group,) = cluster["workerGroupSpecs"]
    assert int(cluster["headGroupSpec"]["rayStartParams"]["num-cpus"]) == 0
    size = cluster_size(asked)
    assert size.most == group["maxReplicas"]
    for pod in (cluster["headGroupSpec"], group):
        (container,) = pod["template"]["spec"]["containers"]
        mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
        assert mounts == {volume["name"] for volume in pod["template"]["spec"].get("volumes", [])}
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert float(container["resources"]["limits"]["cpu"]) == size.cpus
    assert all(isinstance(value, str) for value in cluster["headGroupSpec"]["rayStartParams"].values())


def test_the_cluster_of_machines_is_one_that_ray_up_takes() -> None:
    """By Ray's own description of such files."""
    jsonschema = pytest.importorskip("jsonschema")
    ray = pytest.importorskip("ray")
    cluster = manifests("ray-cluster.yaml")
    schema = Path(ray.__file__).parent / "autoscaler" / "ray-schema.json"
    jsonschema.validate(cluster, json.loads(schema.read_text("utf-8")))
    assert cluster["cluster_name"] == "YOUR-NAME"
    assert cluster["available_node_types"][cluster["head_node_type"]]["resources"] == {"CPU": 0}
    told = re.findall(r"^#.* (alrakis batch .*)$", texts()["ray-cluster.yaml"], re.MULTILINE)
    assert cluster_size(batch_command(shlex.split(told[0]))).most == cluster["max_workers"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("kuberay-batch.yaml", {"YOUR-BUCKET", "YOUR-REGISTRY"}),
        ("ray-cluster.yaml", {"YOUR-NAME", "YOUR-BUCKET"}),
    ],
)
def test_clusters_only_need_names(name: str, wanted: set[str]) -> None:
    assert set(re.findall(r"YOUR-\w+", texts()[name])) == wanted


def test_clusters_run_the_ray_that_tests_run_with() -> None:
    constraints = (ROOT / "tests" / "constraints.txt").read_text("utf-8")
    pinned = re.search(r"^ray==(\S+)$", constraints, re.MULTILINE)[1]  # type: ignore[index]
    for name in ("Dockerfile.ray", "ray-cluster.yaml"):
        assert re.findall(r"rayproject/ray:([\d.]+)-", texts()[name]) == [pinned]
    assert manifests("kuberay-batch.yaml")["spec"]["rayClusterSpec"]["rayVersion"] == pinned
