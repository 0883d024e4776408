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
