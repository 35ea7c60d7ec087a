"""Looking at the machines of a cluster: before the first text is said, and at each that joins."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alrakis.cluster import remote
from alrakis.cluster.facts import Facts, Need, differences, facts_here
from alrakis.cluster.nodes import Node
from alrakis.errors import BackendError

logger = logging.getLogger("alrakis")


class Likeness:
    """What all machines have alike. known: the facts of the machine that plans, and what others added."""

    def __init__(self, need: Need) -> None:
        self.need = need
        self.known = facts_here(need)
        self._kinds: set[str] = set()  # of processors
        self._told = 1  # how many kinds are no news

    def problems(self, facts: Facts) -> list[str]:
        """Why a machine of these facts cannot work with the others."""
        if self.known.runtime is None:  # the machine that plans need not be able to speak
            self.known = replace(self.known, runtime=facts.runtime)
        self._kinds.add(facts.processor)
        return list(differences(self.known, facts))

    def tell_kinds(self) -> None:
        """Warn where processors are of more kinds than before, and make a difference."""
        if self.need.config.precision not in ("int8", "int4") or len(self._kinds) <= self._told:
            return
        self._told = len(self._kinds)
        logger.warning(
            "%s differs between kinds of processors, and here are %s: a text that is made again may differ",
            self.need.config.precision,
            ", ".join(sorted(self._kinds)),
        )


def checked_nodes(need: Need, nodes: Sequence[Node]) -> Likeness:
    """What all machines have alike. Raises BackendError for others, which it names."""
    likeness = Likeness(need)
    problems = []
    for node, found in _found(need, nodes):
        told = [found] if isinstance(found, str) else likeness.problems(found)
        problems += [f"{node.name}: {problem}" for problem in told]
    if problems:
        lines = "".join(f"\n  - {line}" for line in problems[:10])
        more = f"\n  - and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise BackendError(f"not all machines would say the same:{lines}{more}")
    likeness.tell_kinds()
    return likeness


def _found(need: Need, nodes: Sequence[Node]) -> list[tuple[Node, Facts | str]]:
    """What each machine has, or why it cannot be used. One that goes meanwhile is left out."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote.by_its_code()
    asking = ray.remote(num_cpus=0, max_retries=0)(remote.look)
    needed: tuple[Any, ...] = need.weights, need.config.model_dump_json(), need.listen
    asked = [
        (node, asking.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)))
        for node in nodes
    ]
    ours = remote.alrakis_here()
    begun = [(node, question.remote(ours, *needed)) for node, question in asked]
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
