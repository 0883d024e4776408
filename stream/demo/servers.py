"""What the demo runs on: Kafka's protocol in memory, a Redis of its own, and a settings file that the engine and the page read alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.store.app_spec import AppSpec
from features.store.redis import connect, save_spec
from stream.demo.embedded import EmbeddedKafka
from stream.demo.folder import PORT
from stream.demo.local_redis import LocalRedis, free_port
from stream.demo.scene import Scene
from stream.kafka.topics import TOPICS, topic_names
from stream.key_file import make_key_file
from stream.settings import Settings, load_settings

APP = "demo"
PARTITIONS = 4
CONFIG = """\
[app]
name = "{app}"
group = "{app}"

[kafka]
bootstrap = "{kafka}"

[redis]
url = "{redis}"

[features]
timezone = "{scene.timezone}"
key_events = {key_events}
channels = {channels}
revenue_events = {revenue}
funnel = {funnel}

[time]
ticks = false  # the days played lie in the past

[alerts]
backfill = true
threshold = 0.5  # a small product has few at any moment

[learning]
key_file = "{folder}/churnwatch.key"

[worker]
web = ""

[page]
address = "127.0.0.1:{page}"
store = "sqlite:///{folder}/page.db"

[history]
dir = "{folder}/history"
interval = "2s"
web = ""

[[definitions]]
name = "gone{scene.horizon_days}"
active_window = "{scene.horizon_days}d"
horizon = "{scene.horizon_days}d"
"""


@contextmanager
def servers(folder: Path, scene: Scene) -> Iterator[Path]:
    """Run Kafka and Redis until the block ends; yield the file with the settings, which `settings_in` reads."""
    with LocalRedis(folder) as redis:
        (folder / PORT).write_text(str(redis.port))
        kafka = EmbeddedKafka()
        names = topic_names()
        kafka.make_topics([names[topic.logical] for topic in TOPICS])
        make_key_file(folder / "churnwatch.key")
        config = folder / "churnwatch.toml"
        config.write_text(
            CONFIG.format(
                app=APP, kafka=kafka.bootstrap, redis=redis.url, scene=scene, key_events=list(scene.key_events), channels=list(scene.channels),
                revenue=list(scene.revenue_events), funnel=list(scene.funnel), folder=folder, page=free_port(),
            )
        )  # fmt: skip
        settings = settings_in(config)
        spec = AppSpec(spec=settings.spec(scene.key_events), cluster_id=APP, topic_id=APP, partitions=PARTITIONS)
        save_spec(connect(settings["redis.url"]), APP, spec)
        yield config


def settings_in(config: Path) -> Settings:
    """Return the settings of the demo: those of the file, whatever the environment says of another app."""
    return load_settings(config, {})
