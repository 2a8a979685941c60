# SPDX-License-Identifier: Apache-2.0
"""Spark Structured Streaming from Kafka to Kafka, as one process."""

from job import Peer
from packages import HERE, maven, maven_version, pypi

HEAP = "3g"
SETTINGS = {
    "spark.sql.shuffle.partitions": 2,  # The default of 200 ruins a small machine.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.streaming.maxBatchesToRetainInMemory": 1,
    "spark.ui.enabled": "false",
    "spark.log.level": "WARN",
}


class Spark(Peer):
    def __init__(self):
        super().__init__(
            "Spark Structured Streaming", maven_version("spark"), "kafka",
            "one query for the four goals; both cores (two shuffle partitions in place of 200); state on the "
            "heap, not in RocksDB; batches of 250,000 records, a checkpoint with each; "
            f"a heap of {HEAP}; results at least once",
            "with batches that large no answer comes sooner than 25 s of event time; windows that the last "
            "watermark does not reach are never written, and not asked of it here; it keeps a row of state "
            "for each key and each of the windows it is in, so that cost grows with size / every")

    def fetch(self, directory):
        self.jars = maven("spark")
        self.python = pypi("pyspark", self.version)
        self.home = next(self.python.parents[1].glob("lib/python3*/site-packages/pyspark"))

    def complete(self, end, newest):
        return end <= newest - 1

    def command(self, job):
        settings = [word for name, value in SETTINGS.items() for word in ("--conf", f"{name}={value}")]
        # spark-submit, so that Python is a child of the JVM, which waits for it: both are counted.
        return [self.home / "bin/spark-submit", "--master", "local[2]", "--driver-memory", HEAP,
                "--jars", ",".join(map(str, sorted(self.jars.glob("*.jar")))), *settings,
                HERE / "spark_job.py", job.kafka.bootstrap, job.topic, job.group, job.place / "state"], {
                    "SPARK_HOME": self.home, "PYSPARK_PYTHON": self.python,
                    "SPARK_LOCAL_DIRS": job.place / "local"}
