"""A real Apache Kafka on this machine: one KRaft node from jars that Maven brings, in a folder that survives its restarts."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from stream.demo.local_redis import free_ports
from stream.faults import ServerMissing
from tests.servers.certificates import Certificates

USER, PASSWORD = "ann", "ann-secret"
POM = Path(__file__).with_name("pom.xml")
JARS = Path(os.environ.get("CHURNWATCH_TEST_JARS", Path(__file__).parents[2] / ".cache" / "kafka-jars"))


def jars() -> Path:
    """Return the folder of Kafka's jars; brought by Maven at the first call (about 15 s)."""
    for program, how in (("java", "default-jre-headless"), ("mvn", "maven")):
        if shutil.which(program) is None and (program == "java" or not any(JARS.glob("kafka_*.jar"))):
            raise ServerMissing(
                f"no {program}: install it (Debian: apt-get install {how}), or name a running Kafka in CHURNWATCH_TEST_KAFKA"
            )
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with JARS.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test processes one brings them, the others wait
        if not any(JARS.glob("kafka_*.jar")):
            partial = JARS.with_name(f"{JARS.name}.{os.getpid()}")
            command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise ServerMissing(f"Maven could not bring Kafka's jars:\n{(done.stdout + done.stderr)[-2000:]}")
            shutil.rmtree(JARS, ignore_errors=True)
            partial.rename(JARS)
    return JARS


class KafkaServer:
    """One node; `start`, `kill`, `pause`, `resume`, `restart` keep its folder and its port.

    With certificates it listens on two more ports of localhost: `mtls_port` (TLS, client certificate required) and `sasl_port` (TLS, then
    PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 as `USER` with `PASSWORD`, or OAUTHBEARER with any unsecured token).
    """

    def __init__(self, folder: Path, *, heap: str = "512m", certificates: Certificates | None = None) -> None:
        self.folder, self._heap, self._certificates = folder, heap, certificates
        self.port, self._controller, self.mtls_port, self.sasl_port = free_ports(4)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _java(self, *args: str) -> list[str]:
        flags = [f"-Xmx{self._heap}", f"-Xms{self._heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
        return ["java", *flags, "-cp", f"{jars()}/*", *args]

    def _configure(self) -> Path:
        config = self.folder / "server.properties"
        if config.exists():
            return config
        self.folder.mkdir(parents=True, exist_ok=True)
        config.write_text(
            "\n".join(
                [
                    "process.roles=broker,controller",
                    "node.id=1",
                    f"controller.quorum.voters=1@127.0.0.1:{self._controller}",
                    f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller}{self._more()}",
                    f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}{self._more()}",
                    "controller.listener.names=CONTROLLER",
                    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,MTLS:SSL,SASL:SASL_SSL",
                    *self._secured(),
                    f"log.dirs={self.folder / 'data'}",
                    "offsets.topic.replication.factor=1",
                    "offsets.topic.num.partitions=4",
                    "transaction.state.log.replication.factor=1",
                    "transaction.state.log.min.isr=1",
                    "transaction.state.log.num.partitions=4",
                    "share.coordinator.state.topic.replication.factor=1",
                    "share.coordinator.state.topic.min.isr=1",
                    "group.initial.rebalance.delay.ms=0",
                    "auto.create.topics.enable=false",
                    "log.cleaner.dedupe.buffer.size=2097152",
                ]
            )
        )
        format_it = self._java("kafka.tools.StorageTool", "format", "-t", str(uuid.uuid4()).replace("-", "")[:22], "-c", str(config))
        if self._certificates:
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                format_it += ["--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]"]
        done = subprocess.run(format_it, capture_output=True, text=True, check=False)
        if done.returncode:
            config.unlink()
            raise ServerMissing(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")
        return config

    def _more(self) -> str:
        return f",MTLS://localhost:{self.mtls_port},SASL://localhost:{self.sasl_port}" if self._certificates else ""

    def _secured(self) -> list[str]:
        if self._certificates is None:
            return []
        package, sasl = "org.apache.kafka.common.security", "listener.name.sasl"
        scram = f"{package}.scram.ScramLoginModule required;"
        return [
            "inter.broker.listener.name=PLAINTEXT",
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={self._certificates['server_and_key.pem']}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self._certificates['ca.pem']}",
            "listener.name.mtls.ssl.client.auth=required",
            f"{sasl}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            f'{sasl}.plain.sasl.jaas.config={package}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
            f"{sasl}.scram-sha-256.sasl.jaas.config={scram}",
            f"{sasl}.scram-sha-512.sasl.jaas.config={scram}",
            f'{sasl}.oauthbearer.sasl.jaas.config={package}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
            f"{sasl}.oauthbearer.sasl.server.callback.handler.class={package}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler",
        ]

    def start(self, timeout_s: float = 60.0) -> None:
        config = self._configure()
        with (self.folder / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(self._java("kafka.Kafka", str(config)), stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerMissing(f"Kafka did not come up:\n{(self.folder / 'kafka.log').read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether the broker is registered and says which topics there are."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2_000, bootstrap_timeout_ms=2_000)
        except (OSError, KafkaError, ValueError):
            return False
        try:
            admin.list_topics()
        except KafkaError:
            return False
        finally:
            admin.close()
        return True

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def stop(self) -> None:
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
