"""Who computes? A few processes, so many questions at a time; the others wait in a queue that has an end. Each question can be stopped.

A process that is gone takes its question with it and nothing else: the next question has another. What nobody waits for is computed by a process of its own, which gives way to all others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from insights.asked.child import Child, NoAnswer
from insights.asked.messages import Faulted, Question, Reason, Reply, Setup
from insights.asked.scratch import clear_left

AT_A_TIME = 2
MOST_WAITING = 20
NICE = 5
"""By how much a process gives way that computes what nobody waits for."""
SPENT: frozenset[Reason] = frozenset({"too_big", "failed"})
"""After these a process is not asked again: what it could not allocate may be missing in it for good."""
WORDS: dict[Reason, str] = {
    "too_long": "it took longer than it may: ask of fewer days or groups, or allow more in page.analyses_time",
    "ended": "the process that computed it ended, as one does that needs more memory than it may have: ask of fewer days or groups, or allow more in "
    "page.analyses_memory",
    "busy": "too many questions wait: try again in a minute",
    "cancelled": "it was stopped before its end",
}
"""What is said, in English, where a process has not said it itself."""


def no_answer(error: NoAnswer) -> Faulted:
    """Say that there is no answer."""
    return Faulted(error.reason, WORDS[error.reason])


class Job:
    """A question under way.

    Attributes
    ----------
    since_s : float
        When it was asked, seconds of the crew's clock.
    future : Future of Reply
        Done when `then` is.
    quiet : bool
        Whether nobody waits for it.
    """

    def __init__(self, question: Question, since_s: float, then: Callable[[Job, Reply], None], *, quiet: bool = False) -> None:
        self.question, self.since_s, self.then, self.quiet = question, since_s, then, quiet
        self.future: Future[Reply]
        self.child: Child | None = None
        self.is_cancelled = False


class Crew:
    """The processes, started when the first question comes.

    Parameters
    ----------
    setup : Setup
        With the memory of all of them together.
    seconds : float
        Longest time of one question.
    """

    def __init__(self, setup: Setup, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._setup = msgspec.structs.replace(setup, memory_mb=setup.memory_mb // AT_A_TIME)
        self.seconds, self.clock = seconds, clock
        clear_left()
        self._threads = ThreadPoolExecutor(AT_A_TIME, "asked")
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._quiet: list[Child] = []
        self._jobs: set[Job] = set()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many questions are asked and not answered."""
        return len(self._jobs)

    def ask(self, question: Question, then: Callable[[Job, Reply], None] = lambda _job, _reply: None, *, quiet: bool = False) -> Job:
        """Put a question into the queue.

        Parameters
        ----------
        then : callable
            Is given the reply, in a thread of ours.
        quiet : bool
            Whether nobody waits for it. Whoever asks so ends with `rest`.

        Raises
        ------
        NoAnswer
            The queue is full.
        """
        job = Job(question, self.clock(), then, quiet=quiet)
        with self._lock:
            if self._is_closed or len(self._jobs) >= MOST_WAITING + AT_A_TIME:
                raise NoAnswer("busy")
            self._jobs.add(job)
            job.future = self._threads.submit(self._run, job)
        return job

    def cancel(self, job: Job) -> None:
        """Stop a question, whether it waits or is under way."""
        with self._lock:
            job.is_cancelled = True
            if job.child is not None:
                job.child.stop()

    def child(self, *, quiet: bool = False) -> Child:
        """Return a process that does nothing, started if there is none. Whoever has it gives it back."""
        with self._lock:
            idle = self._quiet if quiet else self._idle
            if idle:
                return idle.pop()
        return Child(msgspec.structs.replace(self._setup, nice=NICE) if quiet else self._setup)

    def give_back(self, child: Child, *, quiet: bool = False) -> None:
        """See `child`."""
        with self._lock:
            if not self._is_closed:
                (self._quiet if quiet else self._idle).append(child)
                return
        child.end()

    def rest(self) -> None:
        """End the process that computed what nobody waits for."""
        with self._lock:
            done, self._quiet = self._quiet, []
        for child in done:
            child.end()

    def _run(self, job: Job) -> Reply:
        try:
            reply = self._reply(job)
        except NoAnswer as error:
            reply = no_answer(error)
        with self._lock:
            self._jobs.discard(job)
        job.then(job, reply)
        return reply

    def _reply(self, job: Job) -> Reply:
        if job.is_cancelled:
            raise NoAnswer("cancelled")
        child = self.child(quiet=job.quiet)
        with self._lock:
            job.child = child
            if job.is_cancelled:
                child.stop()
        try:
            reply = child.ask(job.question, self.seconds)
        except NoAnswer as error:
            raise NoAnswer("cancelled" if job.is_cancelled else error.reason) from None
        finally:
            with self._lock:
                job.child = None
        if job.is_cancelled:
            child.end()
            raise NoAnswer("cancelled")
        if isinstance(reply, Faulted) and reply.reason in SPENT:
            child.end()
        else:
            self.give_back(child, quiet=job.quiet)
        return reply

    def close(self) -> None:
        """End all processes; questions under way have no answer."""
        with self._lock:
            self._is_closed = True
            jobs, idle = list(self._jobs), [*self._idle, *self._quiet]
            self._idle, self._quiet = [], []
        for job in jobs:
            self.cancel(job)
        for child in idle:
            child.end()
        self._threads.shutdown()
