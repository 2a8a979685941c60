# SPDX-License-Identifier: Apache-2.0
"""A real Kafka (KRaft, no ZooKeeper) of one or more brokers on loopback.

Every node is broker and controller at once. The jars come from Maven Central,
once, into the cache (see service.cached). Nothing here waits for a fixed time:
start() returns when every broker has answered a metadata request and every
partition has a leader.
"""

import re
import subprocess
import sys
import time
import uuid
from collections import namedtuple
from contextlib import ExitStack
from pathlib import Path

from service import (
    Process,
    ServiceError,
    accepts,
    cached,
    directory_of_its_own,
    free_port,
    need,
    tail,
    wait_until,
)

try:
    from confluent_kafka import (
        OFFSET_BEGINNING,
        Consumer,
        KafkaError,
        KafkaException,
        Producer,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
except ImportError as error:
    raise ImportError(
        f"{error} in {sys.executable}: run ./dev setup, and use /usr/bin/python3, "
        "which is where Debian's python3-confluent-kafka is installed"
    ) from error

# The last one: the client's own view of the topic is older than its partitions.
LEADERLESS = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE,
              KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION)

POM = Path(__file__).parent / "kafka" / "pom.xml"
VERSION = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", POM.read_text()).group(1)

# key and value are bytes or None; headers is a list of (name, bytes).
Record = namedtuple("Record", "partition offset key value timestamp headers")

LOG4J = """\
log4j.rootLogger=INFO, out
# Their only messages are pages of settings.
log4j.logger.kafka.server.KafkaConfig=WARN
log4j.logger.org.apache.kafka.clients.consumer.ConsumerConfig=WARN
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c{1}: %m%n
"""


def jars():
    """The folder with Kafka's jars; downloaded by the first caller."""

    def fetch(folder):
        print(f"fetching Kafka {VERSION} from Maven Central, once", file=sys.stderr)
        done = subprocess.run(
            [need("mvn", "maven"), "-q", "-B", "-f", str(POM),
             "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0 or not list(folder.glob("kafka_2.13-*.jar")):
            raise ServiceError(
                f"Kafka {VERSION} could not be fetched; with a network, "
                "run ./dev services fetch. Maven said:\n" + done.stdout[-2000:]
            )

    return cached(f"kafka-{VERSION}", fetch)


class Kafka:
    """Brokers 1..nodes. Each can be killed, paused and restarted on its port and data.

    Methods that take `node` act on that broker (1, 2, …) or, without it, on all.
    Further server properties are keywords, with "_" for ".".
    A given `directory` is kept after stop(), and found again by the next start.
    """

    def __init__(self, nodes=1, directory=None, ports=None, detached=False, **properties):
        need("java", "default-jdk-headless")
        self._cleanup = ExitStack()
        self.directory = self._cleanup.enter_context(directory_of_its_own(directory, "kafka"))
        self.ports = ports or [free_port() for _ in range(2 * nodes)]
        self._nodes = nodes
        self._properties = {k.replace("_", "."): v for k, v in properties.items()}
        (self.directory / "log4j.properties").write_text(LOG4J)
        self._processes = {
            n: Process(
                f"kafka broker {n}",
                self._java("-Xmx512m", "kafka.Kafka", self._config_file(n)),
                self.directory / f"broker-{n}.log",
                detached,
            )
            for n in range(1, nodes + 1)
        }

    # --- life -------------------------------------------------------------------

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{self._port(n)}" for n in self._processes)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for title, text in self.tails():
                print(f"--- {title}\n{text}", file=sys.stderr)
        self.close()

    def start(self, node=None, timeout=90):
        """Start what is not running (again, on the same ports and data)."""
        for n in self._which(node):
            if not self._processes[n].alive():
                self._format(n)
                self._processes[n].start()
        for n, process in self._processes.items():
            if process.alive() or n in self._which(node):
                self._await_ready(n, timeout)
        return self

    def stop(self, node=None):
        """Orderly shutdown; start() continues with the same data."""
        for n in self._which(node):
            self._processes[n].terminate()

    def kill(self, node=None):
        """kill -9."""
        for n in self._which(node):
            self._processes[n].kill()

    def restart(self, node=None):
        """kill -9 and start."""
        self.kill(node)
        return self.start(node)

    def pause(self, node=None):
        """SIGSTOP: connections stay open, nothing answers."""
        for n in self._which(node):
            self._processes[n].pause()

    def resume(self, node=None):
        """SIGCONT, and wait until the brokers answer again."""
        for n in self._which(node):
            self._processes[n].resume()
        for n in self._which(node):
            self._await_ready(n, 60)

    def close(self):
        """Kill everything and remove the directory, unless it was given."""
        self.kill()
        self._cleanup.close()

    def pids(self):
        return [p.pid for p in self._processes.values() if p.alive()]

    def tails(self):
        """(title, last lines of the log) of each broker, for failure reports."""
        return [(p.name, tail(p.log)) for p in self._processes.values()]

    # --- topics -----------------------------------------------------------------

    def create_topic(self, name, partitions=1, replication=None, **config):
        """Create a topic and wait for its leaders; config with "_" for "."."""
        topic = NewTopic(
            name,
            partitions,
            replication or min(3, self._nodes),
            config={k.replace("_", "."): str(v) for k, v in config.items()},
        )
        admin = self._admin()  # Held: the request dies with its client.
        admin.create_topics([topic])[name].result(30)
        self._await_partitions(name, partitions)
        return name

    def add_partitions(self, name, total):
        """Grow the topic to `total` partitions."""
        admin = self._admin()
        admin.create_partitions([NewPartitions(name, total)])[name].result(30)
        self._await_partitions(name, total)

    def partitions(self, topic):
        """The partition numbers of a topic."""
        found = self._admin().list_topics(topic, timeout=30).topics[topic]
        if found.error is not None:
            raise ServiceError(f"topic {topic}: {found.error}")
        return sorted(found.partitions)

    # --- records ----------------------------------------------------------------

    def produce(self, topic, records, **config):
        """Write (key, value, partition) tuples, str or bytes or None; return how many.

        Partition None leaves the choice to the key. Returns after all are
        acknowledged; raises on the first that is not.
        """
        errors = []
        producer = Producer(
            self._client({"enable.idempotence": True, "linger.ms": 5}, config)
        )

        def delivered(error, _message):
            if error is not None:
                errors.append(error)

        count = 0
        for key, value, partition in records:
            more = {} if partition is None else {"partition": partition}
            while True:
                try:
                    producer.produce(topic, value, key, on_delivery=delivered, **more)
                    break
                except BufferError:  # The local queue is full: let it drain.
                    producer.poll(0.1)
            count += 1
            producer.poll(0)
        left = producer.flush(60)
        if errors or left:
            raise ServiceError(f"produce to {topic}: {left} unsent, errors {errors[:3]}")
        return count

    def produce_with_java(self, topic, values, compression, batch_size=16384):
        """Writes texts with Kafka's own client, whose batches are not librdkafka's."""
        done = subprocess.run(
            self._java("kafka.tools.ConsoleProducer", "--bootstrap-server", self.bootstrap, "--topic", topic,
                       "--compression-codec", compression, "--batch-size", str(batch_size)),
            input="".join(f"{value}\n" for value in values), text=True, capture_output=True, timeout=120)
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise ServiceError(f"Java's producer: {done.stdout}{done.stderr}")

    def consume_all(self, topic, isolation="read_committed", timeout=60):
        """All records up to the end offsets seen at the call, as a list of Record.

        In partition order for each partition. With read_committed the end is the
        last stable offset: records behind an open transaction are not waited for.
        """
        consumer = self._consumer(isolation, {"enable.partition.eof": True})
        try:
            waiting = {}
            for p in self.partitions(topic):
                low, high = self._range(consumer, topic, p)
                if high > low:
                    waiting[p] = high
            consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in waiting])
            return self._read(consumer, waiting, f"consume_all({topic})", timeout)
        finally:
            consumer.close()

    def _range(self, consumer, topic, partition):
        """(first, end) offset; a partition that was just made or moved may have no leader yet."""
        def ask():
            try:
                return consumer.get_watermark_offsets(TopicPartition(topic, partition), 30)
            except KafkaException as error:
                if error.args[0].code() not in LEADERLESS:
                    raise
                # It would believe what it knows for minutes.
                consumer.list_topics(topic, timeout=30)
                return None
        return wait_until(ask, 30, f"{topic}[{partition}] has a leader")

    def start_offsets(self, topic):
        """{partition: offset of the first record that has not expired}."""
        return {p: low for p, (low, _) in self._ranges(topic).items()}

    def end_offsets(self, topic):
        """{partition: high watermark}; counts transaction markers and open ones too."""
        return {p: high for p, (_, high) in self._ranges(topic).items()}

    def _ranges(self, topic):
        consumer = self._consumer("read_uncommitted")
        try:
            return {p: self._range(consumer, topic, p) for p in self.partitions(topic)}
        finally:
            consumer.close()

    def committed(self, group, topic):
        """{partition: committed offset of the group, or None}."""
        consumer = self._consumer("read_committed", {"group.id": group})
        try:
            asked = [TopicPartition(topic, p) for p in self.partitions(topic)]
            answer = consumer.committed(asked, 30)
            return {t.partition: t.offset if t.offset >= 0 else None for t in answer}
        finally:
            consumer.close()

    # --- inside -----------------------------------------------------------------

    def _which(self, node):
        return list(self._processes) if node is None else [node]

    def _port(self, n):
        return self.ports[2 * (n - 1)]

    def _controller_port(self, n):
        return self.ports[2 * (n - 1) + 1]

    def _config_file(self, n):
        return self.directory / f"server-{n}.properties"

    def _java(self, *arguments):
        return [
            "java",
            # A broker that lives for seconds: compile little, collect simply.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            f"-Dlog4j.configuration=file:{self.directory}/log4j.properties",
            "-cp",
            f"{jars()}/*",
            *arguments,
        ]

    def _server_properties(self, n):
        voters = ",".join(f"{i}@127.0.0.1:{self._controller_port(i)}"
                          for i in range(1, self._nodes + 1))
        listener = f"PLAINTEXT://127.0.0.1:{self._port(n)}"
        copies = min(3, self._nodes)
        in_sync = max(1, copies - 1)
        return {
            "process.roles": "broker,controller",
            "node.id": n,
            "controller.quorum.voters": voters,
            "listeners": f"{listener},CONTROLLER://127.0.0.1:{self._controller_port(n)}",
            "advertised.listeners": listener,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.directory / f"data-{n}",
            # A mistyped topic name must fail, not appear.
            "auto.create.topics.enable": "false",
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            # Low latency: few internal partitions to create, no waiting for
            # further group members, short sessions allowed to those who ask.
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
            # After kill -9 a broker may register again only when its old session
            # has run out; the default is 9 s.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            # The default takes 128 MiB of the heap.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            **self._properties,
        }

    def _format(self, n):
        lines = [f"{k}={v}" for k, v in self._server_properties(n).items()]
        self._config_file(n).write_text("\n".join(lines) + "\n")
        if (self.directory / f"data-{n}" / "meta.properties").exists():
            return
        with open(self.directory / f"broker-{n}.log", "a") as log:
            done = subprocess.run(
                self._java("kafka.tools.StorageTool", "format", "--ignore-formatted",
                           "-t", self._cluster_id(), "-c", str(self._config_file(n))),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )
        if done.returncode != 0:
            raise ServiceError(f"kafka format failed:\n{tail(log.name)}")

    def _cluster_id(self):
        # Shared by the nodes, and by later starts in a kept directory.
        file = self.directory / "cluster-id"
        if not file.exists():
            file.write_text("streamd-test-" + uuid.uuid4().hex[:9])
        return file.read_text()

    def _await_ready(self, n, timeout):
        process = self._processes[n]
        deadline = time.monotonic() + timeout

        def listens():
            process.must_live()
            return accepts(self._port(n))

        def answers():
            # The broker itself is asked, not just any of the cluster.
            process.must_live()
            try:
                found = admin.list_topics(timeout=5)
            except KafkaException:
                return False
            alive = {i for i, p in self._processes.items() if p.alive()}
            leaders = [p.leader for t in found.topics.values() for p in t.partitions.values()]
            return alive <= set(found.brokers) and -1 not in leaders

        try:
            wait_until(listens, timeout, f"{process.name} listens on {self._port(n)}")
            admin = AdminClient(self._client({"bootstrap.servers": f"127.0.0.1:{self._port(n)}"}))
            wait_until(answers, max(1, deadline - time.monotonic()), f"{process.name} answers")
        except AssertionError as error:
            raise ServiceError(f"{error}\n{tail(process.log)}") from None

    def _await_partitions(self, topic, count):
        admin = self._admin()

        def led():
            found = admin.list_topics(topic, timeout=30).topics[topic].partitions
            return len(found) == count and all(p.leader != -1 for p in found.values())

        wait_until(led, 30, f"topic {topic} has {count} partitions with leaders")

    def _client(self, *more):
        config = {
            "bootstrap.servers": self.bootstrap,
            "broker.address.family": "v4",
            # Brokers die on purpose here; what matters is raised as an error.
            "log_level": 0,
            "reconnect.backoff.max.ms": 500,
        }
        for extra in more:
            config.update(extra)
        return config

    def _admin(self):
        return AdminClient(self._client())

    def _consumer(self, isolation, more=()):
        return Consumer(
            self._client(
                {
                    # Never joins: partitions are assigned by hand.
                    "group.id": f"services-reader-{uuid.uuid4().hex}",
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "isolation.level": isolation,
                },
                more,
            )
        )

    @staticmethod
    def _read(consumer, waiting, what, timeout):
        records = []
        ends = dict(waiting)
        deadline = time.monotonic() + timeout
        while waiting:
            if time.monotonic() > deadline:
                raise ServiceError(f"{what}: not at the end after {timeout} s: {waiting}")
            for message in consumer.consume(1000, 0.5):
                p, offset, error = message.partition(), message.offset(), message.error()
                # A partition can end in transaction markers, which are never
                # delivered: its end-of-partition event then says we are through.
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise ServiceError(f"{what}: {error}")
                    offset -= 1
                elif offset < ends[p]:
                    records.append(Record(p, offset, message.key(), message.value(),
                                          message.timestamp()[1], message.headers() or []))
                if p in waiting and offset >= ends[p] - 1:
                    del waiting[p]
        return records
