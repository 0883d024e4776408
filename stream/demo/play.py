"""`churnwatch demo`: the whole engine on a made-up product, in one process, in about a minute."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from pathlib import Path

from aiokafka import TopicPartition
from rich.progress import TextColumn

from features.store.app_spec import AppSpec
from features.store.redis import RedisStore, connect, save_spec
from online_models.registry_redis import RedisRegistry
from stream.alerts.message import Alert, decode_alert
from stream.alerts.words import because, headline
from stream.demo.embedded import EmbeddedKafka
from stream.demo.local_redis import LocalRedis
from stream.demo.product import DAY_MS, Product, make_product
from stream.demo.score import Score, score
from stream.kafka.connection import aio_consumer, connection_of, sender
from stream.kafka.topics import TOPICS, topic_names
from stream.key_file import make_key_file
from stream.ownership.served import model_key
from stream.processes.trainer import SAVING_SHARE, Training, train, trainer_settings
from stream.processes.warm import warm
from stream.processes.worker import Worker
from stream.screen import Screen
from stream.settings import Settings, load_settings
from stream.shown import Styled

PARTITIONS = 4
SECONDS_A_DAY = 0.75
SHOWN = 40
"""The first so many alerts are shown one by one, after them every tenth."""
KEY_EVENTS = ("view", "click", "purchase", "error")


def play(*, days: int, users: int, seed: int) -> int:
    """Run the demo; return the exit code."""
    screen = Screen()
    logging.basicConfig(level=logging.ERROR)
    logging.disable(logging.WARNING)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="churnwatch-demo-") as folder, LocalRedis(Path(folder)) as server:
        kafka = EmbeddedKafka()
        names = topic_names()
        kafka.make_topics([names[topic.logical] for topic in TOPICS])
        key = Path(folder) / "churnwatch.key"
        make_key_file(key)
        settings = load_settings(
            Path("/dev/null"),
            {"CHURNWATCH_MODEL_KEY_FILE": str(key)},
            kafka__bootstrap=kafka.bootstrap,
            redis__url=server.url,
            app__name="demo",
            app__group="demo",
            features__key_events=KEY_EVENTS,
            time__ticks=False,
            alerts__backfill=True,  # the days played lie in the past
            worker__web="",
        )
        warm()
        start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - days * DAY_MS
        product = make_product(start_ms, days, users, seed)
        screen.line(
            Styled(f"{product.users} users, {days} days, {len(product.clicks):,} clicks", "bold"),
            f"; who leaves is known to the simulator only. Times are UTC. Kafka protocol on {kafka.bootstrap}, Redis on {server.url}.",
        )
        heard = asyncio.run(_Demo(screen, settings, product, start_ms, days, began).run())
        horizon_ms = settings.definitions[0].horizon_ms
        _summary(screen, score(heard, product.left_ms, horizon_ms, start_ms + days * DAY_MS), time.monotonic() - began)
    return 0


class _Demo:
    def __init__(self, screen: Screen, settings: Settings, product: Product, start_ms: int, days: int, began: float) -> None:
        self._screen, self._settings, self._product = screen, settings, product
        self._start_ms, self._days, self._began = start_ms, days, began
        self.alerts: list[Alert] = []
        self._model = "rule"

    async def run(self) -> list[Alert]:
        from stream.intake.app import AppSettings, build_app
        from stream.processes.program import Stopper, run_app

        settings = self._settings
        client = connect(settings["redis.url"])
        spec = AppSpec(spec=settings.spec(KEY_EVENTS), cluster_id="demo", topic_id="demo", partitions=PARTITIONS)
        save_spec(client, "demo", spec)
        store = RedisStore(client, "demo")
        registry = RedisRegistry(client, "demo")
        self._worker = Worker(settings, store, registry, KEY_EVENTS)
        training = Training(
            trainer_settings(settings), RedisRegistry(client, "demo"), spec.spec.hash, model_key(settings), saving_share=SAVING_SHARE
        )
        stopper, stop = Stopper(), asyncio.Event()
        stopper.arm()
        app = build_app(AppSettings(connection_of(settings), "demo", "demo", "clicks"), self._worker.host, stopper.bug)
        learning = asyncio.create_task(train(settings, training, "examples", stop))
        hearing = asyncio.create_task(self._hear())
        playing: asyncio.Task[None] | None = None

        async def alongside() -> None:
            nonlocal playing
            playing = asyncio.create_task(self._play(stopper))
            await self._worker.alongside(app)

        try:
            code = await run_app(app, stopper, alongside)
        finally:
            stop.set()
            for task in (learning, hearing, playing):
                if task is not None:
                    task.cancel()
            ended = await asyncio.gather(learning, hearing, *([playing] if playing else []), return_exceptions=True)
            await self._worker.close()
            store.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error
        if code:
            raise SystemExit(code)
        return self.alerts

    async def _hear(self) -> None:
        """Show alerts as a consumer of the topic sees them."""
        # The mock broker puts its stamp into a transactional batch and leaves the old checksum, so checksums are not looked at.
        consumer = aio_consumer(connection_of(self._settings), enable_auto_commit=False, fetch_max_wait_ms=100, check_crcs=False)
        await consumer.start()
        try:
            tps = [TopicPartition("alerts", number) for number in range(PARTITIONS)]
            consumer.assign(tps)
            for tp in tps:
                consumer.seek(tp, 0)
            async for message in consumer:
                alert = decode_alert(message.value)
                self.alerts.append(alert)
                if len(self.alerts) == 1:
                    self._screen.line(Styled(f"first alert {time.monotonic() - self._began:.1f} s after the start", "dim"))
                if len(self.alerts) <= SHOWN or len(self.alerts) % 10 == 0:
                    self._screen.entry(headline(alert), because(alert.reasons), margin=18)
        finally:
            await consumer.stop()

    async def _play(self, stopper: object) -> None:
        producer = sender(connection_of(self._settings), {"linger.ms": 5, "partitioner": "murmur2_random"})
        clicks, at = self._product.clicks, 0
        with self._screen.progress(TextColumn("{task.fields[status]}", markup=False)) as progress:
            task = progress.add_task("day 0", total=self._days, status="")
            for quarter in range(self._days * 4):
                until = self._start_ms + (quarter + 1) * DAY_MS // 4
                began = time.monotonic()
                while at < len(clicks) and clicks[at].ts < until:
                    producer.produce("clicks", clicks[at].payload, clicks[at].user.encode(), timestamp=clicks[at].ts)
                    at += 1
                producer.poll(0)
                champion = self._worker.models.champions(until)[0]
                status = f"{at:,} clicks, {len(self.alerts)} alerts, scored by " + (
                    f"model {champion.version}" if champion.version else "the rule"
                )
                progress.update(task, completed=(quarter + 1) / 4, description=f"day {quarter // 4 + 1:>2}", status=status)
                await asyncio.sleep(max(0.0, SECONDS_A_DAY / 4 - (time.monotonic() - began)))
            producer.flush()
            await self._caught_up(at)
        stopper.stop(0)  # type: ignore[attr-defined]  # a Stopper

    async def _caught_up(self, total: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            taken = sum(session.next_offset for session in self._worker.host.sessions.values())
            if taken >= total and not any(session.unconfirmed for session in self._worker.host.sessions.values()):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)


def _summary(screen: Screen, found: Score, seconds: float) -> None:
    share = found.caught / found.leavers if found.leavers else 0.0
    screen.line("")
    screen.line(
        Styled(
            f"{found.caught} of {found.leavers} leavers caught ({share:.0%}), half of them {found.median_early_days:.1f} days or more before they counted as churned.",
            "bold",
        )
    )
    screen.line(
        f"{found.right} of {found.opened} alerts were on users who had indeed left; {found.returned} users came back and their alerts were closed at once."
    )
    screen.line(
        f"{seconds:.0f} s in all. Next: README.md shows how to run it on your own Kafka and Redis (`churnwatch topics create`, `churnwatch run`)."
    )
