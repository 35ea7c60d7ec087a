"""One worker that moves all sequences of an engine."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from alrakis.backends.base import Backend
from alrakis.errors import BackendError
from alrakis.flight import decodes
from alrakis.flight.causal import Slots
from alrakis.flight.origin import Origin
from alrakis.flight.sequence import Caller, Handle, Sequence
from alrakis.flight.windows import Windows
from alrakis.sampling import FloatArray
from alrakis.spec import PARTS, Part
from alrakis.stages.asks import Steps
from alrakis.timings import Clock

Made = TypeVar("Made")

CAUSAL: tuple[Part, ...] = ("text", "coarse")  # parts whose sequences have slots
URGENT_SHARE = 3  # urgent sequences have so many times the time of the others
FLYING = 4  # so many times the slots are under way at once, which keeps every part full; others wait for room


class Scheduler:
    """Takes sequences at any moment from any thread, and runs them all until they are done.

    Who waits for sound goes first, but the others have a quarter of the time. Among them the latest stage
    runs that is full, or that nothing before it can make fuller. Where a backend keeps one stage at a time,
    the stage at work goes on as long as a sequence is in it.

    The worker is a thread that lives only while there is work; it is not a daemon, and gives the work up when
    nothing is left in the process that could want it.
    """

    def __init__(self, backend: Backend, *, slots: int, one_stage: bool) -> None:
        self._backend = backend
        self._one_stage = one_stage
        self._count = slots
        self._empty()
        self._origin = Origin()
        self._changed = threading.Condition()
        self._arrived: list[Sequence[Any]] = []  # since the worker has last looked
        self._worker: threading.Thread | None = None
        self._closed = False
        self._part: Part | None = None  # that ran last
        self._used: set[Part] = set()  # parts that may hold something since they ran
        self._decoded: dict[Sequence[Any], FloatArray] = {}
        self._spent_s = {True: 0.0, False: 0.0}  # on the urgent and on the others, while there were both

    def submit(self, steps: Steps[Made], caller: Caller, clock: Clock) -> Handle[Made]:
        """Start a sequence; what its steps raise before they ask for anything is raised here.

        Raises BackendError when closed, or in a process that was forked from the one that made this.
        """
        self.check_process()
        sequence = Sequence(steps, caller, clock)
        with self._changed:
            if self._closed:
                raise BackendError("this engine is closed; make a new one")
            if sequence.part is not None:
                self._arrived.append(sequence)
                if self._worker is None:
                    self._start()
        return sequence.handle

    def _start(self) -> None:
        self._worker = threading.Thread(target=self._work, name="alrakis", daemon=False)
        try:
            self._worker.start()
        except RuntimeError as error:  # as the system allows
            self._worker = None
            self._arrived.clear()
            raise BackendError(f"no thread can be started to work in: {error}") from error

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Wait until nothing is under way; nothing begins inside the `with` block.

        Raises BackendError in a function that the worker calls: it would wait for itself.
        """
        self.check_process()
        with self._changed:
            if self._worker is threading.current_thread():
                raise BackendError("what a callback asks for would have to wait for the callback")
            self._changed.wait_for(lambda: self._worker is None)
            yield

    def close(self) -> None:
        """End all sequences with an error, and the worker. Closing twice is harmless."""
        if self.forked:
            return  # the worker and what it holds are the other process's
        with self._changed:
            self._closed = True
            if self._worker is not threading.current_thread():
                self._changed.wait_for(lambda: self._worker is None)

    @property
    def forked(self) -> bool:
        """Whether this process was forked from the one that made this, whose threads stayed behind."""
        return self._origin.left

    @property
    def slots_in_use(self) -> dict[Part, int]:
        """How many slots of each causal part are taken now."""
        return {part: len(slots) for part, slots in self._slots.items()}

    def check_process(self) -> None:
        """Raises BackendError in a process that was forked: locks of its threads may be held for ever."""
        self._origin.check()

    def _work(self) -> None:
        try:
            while self._goes_on():
                self._turn()
        except BaseException as error:  # nobody may wait for ever for what a broken worker will not make
            with self._changed:
                left = self._flying + self._waiting + self._arrived
                self._arrived.clear()
                self._empty()
                self._worker = None
                self._changed.notify_all()
            for sequence in left:
                sequence.fail(error)
            raise

    def _empty(self) -> None:
        """Nothing is under way."""
        self._flying: list[Sequence[Any]] = []
        self._waiting: list[Sequence[Any]] = []
        self._landed = False  # whether one is over since others could last begin
        self._slots: dict[Part, Slots] = {part: Slots(self._count) for part in CAUSAL}
        self._windows = Windows()

    def _goes_on(self) -> bool:
        """Take in who has arrived; False when nobody is left, and then this worker is none any more."""
        while True:
            with self._changed:
                arrived, self._arrived = self._arrived, []
                ends = self._closed or not _wanted()
            self._waiting += arrived
            if ends:
                self._fail_all(BackendError("the engine was closed before this was made"))
            self._forget([s for s in self._flying if s.part is None or s.handle.done()])
            if arrived or self._landed:
                self._take_off()
            if self._flying:
                return True
            with self._changed:
                if self._arrived:
                    continue
                self._rest()
                self._worker = None
                self._changed.notify_all()
                return False

    def _take_off(self) -> None:
        """Let sequences that wait begin while there is room; each client has at least one under way."""
        self._landed = False
        self._waiting = [sequence for sequence in self._waiting if not sequence.handle.done()]
        held = Counter(sequence.caller.client for sequence in self._flying)
        full = FLYING * self._count
        while self._waiting:
            first = min(self._waiting, key=lambda s: (not s.caller.urgent, held[s.caller.client], s.arrival))
            if len(self._flying) >= full:
                first = min(self._waiting, key=lambda s: (held[s.caller.client], s.arrival))
                if held[first.caller.client]:
                    return
            self._waiting.remove(first)
            self._flying.append(first)
            held[first.caller.client] += 1

    def _fail_all(self, error: BaseException) -> None:
        for sequence in [*self._flying, *self._waiting]:
            sequence.fail(error)

    def _turn(self) -> None:
        """Move some sequences of one part on, by a step or a stride."""
        moving = self._next()
        part = moving[0].part
        assert part is not None
        if self._part is not None and self._part != part:
            self._leave(self._part)
        self._part = part
        self._used.add(part)
        try:
            network = self._open(part, moving)
            moving = self._together(part, network, moving)
            counts = self._step(part, network, moving)
        except BaseException as error:  # whatever it is, it belongs to whoever waits for these
            for sequence in moving:
                sequence.fail(error)
            self._forget(moving)
            return
        for sequence, count in zip(moving, counts, strict=True):
            try:
                sequence.moved(count)
                self._answer(part, network, sequence)
            except BaseException as error:  # of its own steps, or of its caller's function: of nobody else
                sequence.fail(error)
        self._forget([sequence for sequence in moving if sequence.part != part])

    def _together(self, part: Part, network: Any, moving: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Those of them that one step takes on; what goes wrong in it is theirs alone."""
        if part in self._slots:
            return self._slots[part].together(network, moving)
        if part == "fine":
            return self._windows.together(moving, self._backend.width("fine"))
        return decodes.together(moving, self._backend.width("codec"))

    def _step(self, part: Part, network: Any, moving: list[Sequence[Any]]) -> list[int]:
        """One turn of a part; how many steps of it each has done."""
        began = time.perf_counter()
        counts = [1] * len(moving)
        if part in self._slots:
            counts = self._slots[part].step(network, moving)
        elif part == "fine":
            self._windows.step(network, moving)
        else:
            self._decoded = dict(zip(moving, decodes.decode(network, moving), strict=True))
        took_s = time.perf_counter() - began
        for clock in {sequence.clock for sequence in moving}:
            clock.add(part, took_s)
        self._spent_s[moving[0].caller.urgent] += took_s
        return counts

    def _answer(self, part: Part, network: Any, sequence: Sequence[Any]) -> None:
        """Give a sequence what it asked for, if that is there."""
        if part in self._slots:
            self._slots[part].finished(network, sequence)
        elif part == "fine":
            self._windows.finished(network, sequence)
        else:
            sequence.answer(self._decoded.pop(sequence))

    def _next(self) -> list[Sequence[Any]]:
        """Who moves next: sequences that are in one part, the most entitled first."""
        urgent = [sequence for sequence in self._flying if sequence.caller.urgent]
        others = [sequence for sequence in self._flying if not sequence.caller.urgent]
        if not urgent or not others or self._one_stage:
            self._spent_s = {True: 0.0, False: 0.0}
            first = self._flying
        elif self._spent_s[True] > URGENT_SHARE * self._spent_s[False]:
            first = others
        else:
            first = urgent
        part = self._part_for(first)
        here = [sequence for sequence in self._flying if sequence.part == part]
        if part in self._slots:
            slots = self._slots[part]
            slots.seat(here)
            here = [sequence for sequence in here if slots.has(sequence)]
            # the others take the urgent along: their step hardly takes longer
            alone = [sequence for sequence in here if sequence.caller.urgent] if first is urgent else []
            return alone or here
        return sorted(here, key=lambda s: ((s not in first), s.arrival))

    def _part_for(self, sequences: Iterable[Sequence[Any]]) -> Part:
        """The latest part that is full, or that nothing before it can make fuller."""
        counts = dict.fromkeys(PARTS, 0)
        for sequence in sequences:
            if sequence.part is not None:
                counts[sequence.part] += 1
        present = [part for part in PARTS if counts[part]]
        if self._one_stage and self._part in present:
            return self._part
        return next(
            part
            for part in reversed(present)
            if counts[part] >= self._backend.width(part) or part == present[0]
        )

    def _open(self, part: Part, moving: list[Sequence[Any]]) -> Any:
        """A part's network; the time it takes to open is apart."""
        began = time.perf_counter()
        network = getattr(self._backend, part)()
        took_s = time.perf_counter() - began
        for clock in {sequence.clock for sequence in moving}:
            clock.add("load", took_s)
        return network

    def _forget(self, sequences: Iterable[Sequence[Any]]) -> None:
        """Free what sequences hold in parts where they are no more."""
        for sequence in sequences:
            over = sequence.part is None or sequence.handle.done()
            for part, slots in self._slots.items():
                if over or sequence.part != part:
                    slots.leave(self._backend.opened(part), sequence)
            if over or sequence.part != "fine":
                self._windows.leave(sequence)
            if over and sequence in self._flying:
                self._flying.remove(sequence)
                self._landed = True

    def _leave(self, part: Part) -> None:
        """Another part is going to run: free what the backend need not keep meanwhile."""
        if not any(sequence.part == part for sequence in self._flying):
            self._backend.done(part)
            self._used.discard(part)

    def _rest(self) -> None:
        """Nothing is left to do."""
        for part in self._used:
            self._backend.done(part)
        self._used.clear()
        self._part = None


def _wanted() -> bool:
    """Whether anybody in this process can still want what is made: its main thread, or another of its own."""
    if threading.main_thread().is_alive():
        return True
    own = (threading.current_thread(), threading.main_thread())
    others = (thread for thread in threading.enumerate() if thread.is_alive() and thread not in own)
    return any(not thread.daemon and not thread.name.startswith("alrakis") for thread in others)
