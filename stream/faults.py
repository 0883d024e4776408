"""Faults that a person can mend: the message says what is wrong and what to do, and no stack trace is shown with it.

::

    UsageFault     a command cannot do that as it was asked
    Refused        stored state, log and configuration contradict each other (exit code 2)
    ServerMissing  there is no server on this machine to start, or it did not start
    WebRefused     the address of the metrics must not, or cannot, be listened on
"""

from __future__ import annotations

ANEW = "it reads the clicks from their beginning, learns its models anew, and its alerts have other ids: stop the old app, and let whoever reads its alerts read {0}alerts"
"""What a new app beside an old one means, after the command that makes it."""


def as_new_app(app: str, clicks: str = "", partitions: int | None = None) -> str:
    """Say how to begin anew beside an app, and what that means. Every message that advises it says this.

    Parameters
    ----------
    app : str
        Name of the old app.
    clicks : str
        Topic that the new app is to read as well; "" if it gets a clicks topic of its own.
    partitions : int, optional
        Number of partitions of that topic of its own.

    >>> as_new_app("shop", "clicks").split(" churnwatch topics create")[0]
    'CHURNWATCH_APP=shop-2 CHURNWATCH_TOPIC_PREFIX=shop-2. CHURNWATCH_CLICKS=clicks'
    """
    new = f"{app[:30]}-2"
    names = f"CHURNWATCH_APP={new} CHURNWATCH_TOPIC_PREFIX={new}." + (f" CHURNWATCH_CLICKS={clicks}" if clicks else "")
    many = f" --partitions {partitions}" if partitions is not None else ""
    return f"{names} churnwatch topics create{many}, then `churnwatch run` and `churnwatch train` with the same; " + ANEW.format(f"{new}.")


class UsageFault(ValueError):
    """The command cannot do that; the message says what to do.

    Parameters
    ----------
    says : str
        The message; with values, `{name}` stands for one of them.
    **values
        What the message names.

    Attributes
    ----------
    says, values
        As they were given, for whoever says it in another language.

    >>> fault = UsageFault("depth must be 1 to {most}, got {got!r}", most=9, got="x")
    >>> str(fault), fault.says, fault.values["most"]
    ("depth must be 1 to 9, got 'x'", 'depth must be 1 to {most}, got {got!r}', 9)
    """

    def __init__(self, says: str, /, **values: object) -> None:
        super().__init__(says.format(**values) if values else says)
        self.says, self.values = says, values


class Refused(Exception):
    """The stored shard, the log and the configuration contradict each other; the message says what to do."""


class ServerMissing(RuntimeError):
    """No server to start; the message says where to get one."""


class WebRefused(ValueError):
    """The address must not, or cannot, be listened on; the message says what to do."""


def own_topics(app: str, clicks: str) -> str:
    """Return the command line that gives an app topics of its own, except for the clicks."""
    return f"CHURNWATCH_TOPIC_PREFIX={app}. CHURNWATCH_CLICKS={clicks} churnwatch topics create, and `churnwatch run` and `train` with the same"
