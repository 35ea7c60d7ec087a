"""Looking at the machines of a cluster before the first text is said."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alrakis.cluster.facts import Facts, Need, differences, facts_here
from alrakis.cluster.nodes import Node
from alrakis.errors import BackendError
from alrakis.version import __version__

logger = logging.getLogger("alrakis")


def checked_nodes(need: Need, nodes: Sequence[Node]) -> Facts:
    """What all machines have alike. Raises BackendError for others, which it names."""
    known = facts_here(need)
    found = _found(need, nodes)
    problems = []
    for node, facts in found:
        if isinstance(facts, str):
            problems.append(f"{node.name}: {facts}")
            continue
        if known.runtime is None:  # the machine that plans need not be able to speak
            known = replace(known, runtime=facts.runtime)
        problems += [f"{node.name}: {problem}" for problem in differences(known, facts)]
    if problems:
        lines = "".join(f"\n  - {line}" for line in problems[:10])
        raise BackendError(f"not all machines would say the same:{lines}")
    kinds = sorted({facts.processor for _, facts in found if isinstance(facts, Facts)})
    if need.config.precision in ("int8", "int4") and len(kinds) > 1:
        logger.warning(
            "%s differs between kinds of processors, and here are %s: a text that is made again may differ",
            need.config.precision,
            ", ".join(kinds),
        )
    return known


def _found(need: Need, nodes: Sequence[Node]) -> list[tuple[Node, Facts | str]]:
    """What each machine has, or why it cannot be used. One that goes meanwhile is left out."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def look(version: str, *needed: Any) -> Any:
        """Sent by its code, as alrakis may not be there."""
        try:
            import alrakis
        except ImportError:
            return "alrakis is not installed"
        if alrakis.__version__ != version:
            return f"it has alrakis {alrakis.__version__}, and {version} is needed"
        from alrakis.cluster.facts import facts_of

        return facts_of(*needed)

    asking = ray.remote(num_cpus=0, max_retries=0)(look)
    needed = need.weights, need.config.model_dump_json(), need.listens
    asked = [
        (node, asking.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)))
        for node in nodes
    ]
    begun = [(node, question.remote(__version__, *needed)) for node, question in asked]
    found: list[tuple[Node, Facts | str]] = []
    for node, answer in begun:
        try:
            facts = ray.get(answer)
            found.append((node, facts if isinstance(facts, str) else Facts(**facts)))
        except ray.exceptions.RayTaskError as error:
            found.append((node, " ".join(str(error.cause).split())[:300]))
        except ray.exceptions.RayError as error:
            logger.warning("%s is left out: %s", node.name, " ".join(str(error).split())[:300])
    return found
