"""How far do the clicks reach, when did the newest one come, and who takes them? One look at Kafka, for whoever shows it; nothing is changed.

A look costs three requests. It is meant for a thread of its own: a broker that does not answer holds it up for seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from stream.kafka import connection
from stream.kafka.origin import app_of_client
from stream.kafka.reach import reach
from stream.kafka.topics import topic_names
from stream.settings import Settings

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient


class Member(NamedTuple):
    """One process that takes clicks: a member of the workers' consumer group.

    Attributes
    ----------
    app : str or None
        The app whose worker it is; None for a member that does not say.
    host : str
        Address from which it is connected, as the broker sees it.
    partitions : tuple of int
        Partitions of clicks that it was given, in order.
    """

    app: str | None
    host: str
    partitions: tuple[int, ...]


class Look(NamedTuple):
    """What Kafka said at one moment.

    Attributes
    ----------
    ends : dict of int to int
        Offset behind the newest click, by partition.
    newest_ms : int or None
        The broker's stamp of the newest click, ms; None when there is none, or the broker cannot say (before Kafka 3.0).
    members : tuple of Member or None
        Members of the group, in the order of their first partition; those that were given none come last. None when we may not
        look at the group.
    """

    ends: Mapping[int, int]
    newest_ms: int | None
    members: tuple[Member, ...] | None


class Looker:
    """Looks as often as it is asked to, over one connection; `close` it in the end. Not for two threads at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clicks = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])["clicks"]
        self._client: KafkaAdminClient | None = None

    def look(self, partitions: int, group: str) -> Look:
        """Ask for all of it. After an error the next look connects anew.

        Parameters
        ----------
        partitions : int
            Partitions of clicks.
        group : str
            The workers' consumer group.

        Raises
        ------
        UsageFault
            No broker can be reached; it says what to do.
        OSError, kafka.errors.KafkaError
            The broker that was reached did not answer one of the questions.
        """
        try:
            return self._look(partitions, group)
        except BaseException:
            self.close()
            raise

    def _look(self, partitions: int, group: str) -> Look:
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        client = self._connected()
        places = [TopicPartition(self._clicks, number) for number in range(partitions)]
        ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        return Look({place.partition: ends[place].offset for place in places}, self._newest(places), self._members(group))

    def _newest(self, places: list[Any]) -> int | None:
        from kafka.admin import OffsetSpec
        from kafka.errors import IncompatibleBrokerVersion, UnsupportedVersionError

        try:
            newest = self._connected().list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
        except (UnsupportedVersionError, IncompatibleBrokerVersion):
            return None
        return max((one.timestamp for one in newest.values() if one.timestamp >= 0), default=None)

    def _members(self, group: str) -> tuple[Member, ...] | None:
        from kafka.errors import CoordinatorNotAvailableError, GroupAuthorizationFailedError, IncompatibleBrokerVersion

        try:
            found: dict[str, Any] = self._connected().describe_groups([group])[group]
        except CoordinatorNotAvailableError:  # no group was ever made in this Kafka
            return ()
        except (GroupAuthorizationFailedError, IncompatibleBrokerVersion):  # the demo's broker does not know the question
            return None
        return tuple(sorted(map(self._member, found["members"]), key=lambda one: (not one.partitions, one.partitions, one.host)))

    def _member(self, said: Mapping[str, Any]) -> Member:
        host = str(said["client_host"]).removeprefix("/")  # Java writes a slash between the name it does not know and the address
        return Member(app_of_client(str(said["client_id"])), host, self._assigned(said["member_assignment"]))

    def _assigned(self, assignment: Any) -> tuple[int, ...]:
        topics = assignment["assigned_partitions"] if isinstance(assignment, dict) else []
        return tuple(sorted(number for one in topics if one["topic"] == self._clicks for number in one["partitions"]))

    def _connected(self) -> KafkaAdminClient:
        if self._client is None:
            place = connection.connection_of(self._settings)
            reach(place)
            self._client = connection.admin(place, request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
        return self._client

    def close(self) -> None:
        """Close the connection if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None
