"""What a person can mend: the message of each says what is wrong and what to do, and no stack trace is shown with it.

::

    UsageFault     a command cannot do that as it was asked
    Refused        stored state, log and configuration contradict each other (exit code 2)
    ServerMissing  there is no server on this machine to start, or it did not start
    WebRefused     the address of the metrics must not, or cannot, be listened on
"""

from __future__ import annotations


class UsageFault(ValueError):
    """The command cannot do that; the message says what to do."""


class Refused(Exception):
    """The stored shard, the log and the configuration contradict each other; the message says what to do."""


class ServerMissing(RuntimeError):
    """No server to start; the message says where to get one."""


class WebRefused(ValueError):
    """The address must not, or cannot, be listened on; the message says what to do."""


def new_app(app: str, clicks: str) -> str:
    """Return the one command line that begins anew on the same clicks: a name, and with it a consumer group, of its own, and topics of its own.

    >>> new_app("shop-2", "clicks")
    'CHURNWATCH_APP=shop-2 CHURNWATCH_TOPIC_PREFIX=shop-2. CHURNWATCH_CLICKS=clicks churnwatch topics create, and `churnwatch run` and `train` with the same'
    """
    return f"CHURNWATCH_APP={app} {own_topics(app, clicks)}"


def own_topics(app: str, clicks: str) -> str:
    """Return the one command line that gives an app topics of its own but for the clicks."""
    return f"CHURNWATCH_TOPIC_PREFIX={app}. CHURNWATCH_CLICKS={clicks} churnwatch topics create, and `churnwatch run` and `train` with the same"


def next_name(app: str) -> str:
    """Return a name for the app that takes another's place, within the length of a name.

    >>> next_name("shop")
    'shop-2'
    """
    return f"{app[:30]}-2"
