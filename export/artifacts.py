"""The artifacts of a set of weights: found in the cache, or exported into it when they are first needed.

Lost or damaged artifacts are made again. If the cache cannot be written, every process exports into a
temporary folder. A folder that the config names is only read, and damage in it is an error.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alrakis.config import EXPORTED_FINE, PRECISIONS, Config
from alrakis.errors import ArtifactError, WeightsError
from alrakis.export.accuracy.calibration import calibrate
from alrakis.export.accuracy.report import Report, outliers, report_from_json
from alrakis.export.accuracy.verifier import Verifier
from alrakis.export.build import build_codec, build_stage, graph_kinds
from alrakis.export.contract import graph_heads
from alrakis.export.size import needed_bytes, progress_bytes
from alrakis.export.store import Artifact, DamagedError, Facts, Store, artifact_cache, check, write_notes
from alrakis.places.given import given_path
from alrakis.progress import export_bar, tell
from alrakis.spec import Layout
from alrakis.version import __version__
from alrakis.weights.types import CodecWeights, StageWeights, Weights

EXPORTER = 11  # to be raised when the output of an export changes: artifacts are keyed by it

_HINT = "Set ALRAKIS_CACHE to a folder with room"

logger = logging.getLogger("alrakis")

Part = StageWeights | CodecWeights
Opened = TypeVar("Opened")


def part_name(part: Part) -> str:
    return part.stage if isinstance(part, StageWeights) else "codec"


def part_heads(part: Part, layout: Layout) -> list[range]:
    """The ids that can be drawn, for each head, as `build_stage` takes them."""
    heads = {"text": layout.text_heads, "coarse": layout.coarse_heads, "fine": [range(layout.codebook_size)]}
    return list(heads[part.stage]) if isinstance(part, StageWeights) else []


class Artifacts:
    """The artifacts of a set of weights under a config."""

    def __init__(self, weights: Weights, config: Config) -> None:
        self._weights = weights
        self._config = config
        self._cache = Store(artifact_cache())
        self._given = Store(given_path(config.artifacts)) if config.artifacts else None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._verifier = Verifier(weights, config.threads)
        self._reports: dict[Path, Report] = {}  # by an artifact's folder

    def close(self) -> None:
        """Remove the temporary folder of exports, if there is one."""
        if self._temporary:
            self._temporary.cleanup()
        self._temporary = None

    def open(self, part: Part, opener: Callable[[Path], Opened]) -> Opened:
        """What `opener` returns for the folder of a part, which is exported first if necessary.

        If `opener` raises ArtifactError and files are damaged, they are exported again. Raises as `ensure`.
        """
        artifact = self.ensure(part)
        try:
            return opener(artifact.folder)
        except ArtifactError:
            if _as_written(artifact):
                raise
        return opener(self.ensure(part, whole=True).folder)

    def ensure(self, part: Part, *, whole: bool = False) -> Artifact:
        """A part's artifact, exported if necessary. whole: check the hashes of large files too.

        Raises ArtifactError if the config's folder lacks the artifact or has a damaged one, or if nothing can
        be written.
        """
        if self._given:
            return self._from_folder(self._given, part, whole)
        try:
            found = self._cache.find(self.facts(part), whole=whole)
        except DamagedError:
            found = None
        return found or self._export(part, whole)

    def export_into(self, root: Path, part: Part) -> Artifact:
        """A part's artifact in a folder, exported if necessary. Raises ArtifactError."""
        try:
            return self._make(Store(root), part, whole=True)
        except WeightsError:
            raise
        except OSError as error:
            raise ArtifactError(f"cannot export into {root}: {_why(error)}") from error

    def verify(self, artifact: Artifact, part: StageWeights) -> Report:
        """Measure an artifact against fp32, and store the report in its manifest if that can be written."""
        if artifact.folder in self._reports:
            return self._reports[artifact.folder]
        before = report_from_json(artifact.notes.get("report"))
        kept = before.kept if before else ()
        report = self._verifier.measure(part, self._precision(part), artifact.folder, kept)
        self._warn(report)
        try:
            write_notes(artifact, {**artifact.notes, "report": report.as_json()})
        except OSError as error:
            logger.warning("the report is not kept: %s", _why(error))
        return report

    def facts(self, part: Part) -> Facts:
        """All that a part's artifact depends on."""
        facts = {"part": part_name(part), "identity": part.identity, "exporter": EXPORTER}
        facts["precision"] = self._precision(part)
        if isinstance(part, CodecWeights):
            return facts
        heads = [[ids.start, ids.stop] for ids in graph_heads(part_heads(part, self._weights.layout))]
        facts["heads"] = heads
        if part.stage != "fine":
            facts["kv_cache"] = self._config.kv_cache
        if self._drafts(part):
            facts["draft"] = True
        if self._measured(part):  # the limit decides which layers stay fp32
            facts["outlier"] = self._config.verify_outlier
        return facts

    def _precision(self, part: Part) -> str:
        """The first precision that gives a part the same graphs as the config's."""
        if isinstance(part, CodecWeights):
            return "fp32"
        if self._config.precision == "fp16":
            return "fp16"
        kinds = graph_kinds(part.stage, self._config.precision)
        return next(p for p in PRECISIONS["onnx"] if graph_kinds(part.stage, p) == kinds)

    def _drafts(self, part: Part) -> bool:
        """Whether a part has a graph that guesses tokens."""
        return self._config.drafts > 0 and part_name(part) in ("text", "coarse")

    def _from_folder(self, store: Store, part: Part, whole: bool) -> Artifact:
        facts = self.facts(part)
        what = f"{facts['part']} ({facts['precision']})"
        precision = self._config.precision
        again = f"`alrakis export --weights {self._weights.name} --precision {precision} -o {store.root}`"
        try:
            found = store.find(facts, whole=whole)
        except DamagedError as problem:
            raise ArtifactError(f"{problem}; make it again: {again}") from None
        if found is None:
            there = ", ".join(artifact.folder.name for artifact in store.artifacts()) or "no artifacts"
            raise ArtifactError(
                f"{store.root} holds nothing for {what} of these weights and this version of alrakis "
                f"({store.place(facts).name}); it holds {there}. Make it: {again}"
            )
        return found

    def _export(self, part: Part, whole: bool) -> Artifact:
        """Export into the cache, or into a temporary folder if the cache cannot be written."""
        if not self._temporary:
            try:
                return self._make(self._cache, part, whole)
            except WeightsError:  # WeightsNotFoundError is an OSError too
                raise
            except OSError as error:
                problem = _why(error)
            logger.warning(
                "the cache cannot be used: %s; a temporary folder takes its place. %s", problem, _HINT
            )
        try:
            self._temporary = self._temporary or tempfile.TemporaryDirectory(prefix="alrakis-")
            return self._make(Store(Path(self._temporary.name)), part, whole)
        except WeightsError:
            raise
        except OSError as error:
            raise ArtifactError(
                f"cannot export {part_name(part)}: neither the cache ({self._cache.root}) nor a "
                f"temporary folder can take it: {_why(error)}. {_HINT}"
            ) from error

    def _make(self, store: Store, part: Part, whole: bool) -> Artifact:
        facts = self.facts(part)
        what = f"{facts['part']} ({facts['precision']})"
        began = time.monotonic()
        built: list[Report | None] = []

        def build(folder: Path) -> dict[str, Any]:
            report = self._build(part, folder, what)
            built.append(report)
            return {
                "weights": self._weights.name,
                "source": part.source,
                "alrakis": __version__,
                "report": report and report.as_json(),
            }

        size_bytes = needed_bytes(part, facts["precision"], draft=self._drafts(part))
        artifact = store.make(facts, build, size_bytes, whole=whole)
        if built:
            seconds = time.monotonic() - began
            tell(f"exported {what}: {artifact.folder} ({artifact.size_bytes / 1e6:.0f} MB, {seconds:.0f} s)")
            if built[0]:
                self._reports[artifact.folder] = built[0]
                self._warn(built[0])
            _remove_older(store, facts)
        return artifact

    def _build(self, part: Part, folder: Path, what: str) -> Report | None:
        """Fill a folder; returns the report against fp32 if the part is measured."""
        if isinstance(part, CodecWeights):
            build_codec(part, folder)
            return None
        precision, heads = self._precision(part), part_heads(part, self._weights.layout)
        draft = self._drafts(part)
        known = self._known(part)
        total = progress_bytes(part, heads, precision, draft=draft)
        with export_bar(f"exporting {what}", total, "B") as progress:
            build_stage(part, heads, precision, folder, draft=draft, progress=progress, **known)
        decided = known or self._decided(part, folder)
        if decided and not known:
            _empty(folder)
            build_stage(part, heads, precision, folder, draft=draft, **decided)
        if not self._measured(part):
            return None
        return self._verifier.measure(part, precision, folder, decided.get("precise", ()))

    def _known(self, part: StageWeights) -> dict[str, Any]:
        """As `_decided`, for weights that brought it along; they have no layers to be kept in fp32."""
        cached = self._config.kv_cache == "int8" and part.stage != "fine"
        return {"cache_scales": part.cache_scales} if cached and part.cache_scales is not None else {}

    def _decided(self, part: StageWeights, folder: Path) -> dict[str, Any]:
        """What a stage's graphs have to be built again with, as arguments of `build_stage`."""
        cached = self._config.kv_cache == "int8" and part.stage != "fine"
        if not cached and not self._measured(part):
            return {}
        found = calibrate(part, part_heads(part, self._weights.layout), folder)
        decided: dict[str, Any] = {"cache_scales": found.cache_scales} if cached else {}
        kept = outliers(found.errors, self._config.verify_outlier) if self._measured(part) else ()
        return {**decided, "precise": kept} if kept else decided

    def _measured(self, part: Part) -> bool:
        """Whether an export is measured against fp32: where it was rounded by scales.

        With random parameters, that says nothing.
        """
        rounded = self._config.precision not in EXPORTED_FINE
        if not isinstance(part, StageWeights) or part.measured or not rounded:
            return False
        return not self._weights.name.startswith("synthetic-")

    def _warn(self, report: Report) -> None:
        shortfalls = report.shortfalls(self._config)
        if shortfalls:
            logger.warning(
                "%s at %s: %s; `alrakis info` shows the report, `--config cpu-fp32` is exact",
                report.part,
                report.precision,
                "; ".join(shortfalls),
            )


def _as_written(artifact: Artifact) -> bool:
    try:
        check(artifact.folder, artifact.facts, "all")
    except DamagedError:
        return False
    return True


def _remove_older(store: Store, facts: Facts) -> None:
    """Remove the artifacts of earlier exporters with the same facts: they are not used any more."""
    for other in store.artifacts():
        same = {**other.facts, "exporter": facts["exporter"]} == facts
        if same and other.facts["exporter"] < facts["exporter"]:
            store.remove(other.folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _why(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"
