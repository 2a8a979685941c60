# SPDX-License-Identifier: Apache-2.0
"""Flink SQL from Kafka to Kafka, as one process."""

import subprocess

from job import Peer
from packages import HERE, maven, maven_version
from service import ServiceError, need

# Reflection into the JDK that Flink's own scripts allow.
OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED"
         for package in ("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect",
                         "java.text", "java.time", "java.util", "java.util.concurrent",
                         "java.util.concurrent.atomic", "java.util.concurrent.locks")]
HEAP = "3g"


class Flink(Peer):
    def __init__(self):
        super().__init__(
            "Flink SQL", maven_version("flink"), "kafka",
            "one job, so that the topic is read and decoded once; both cores (parallelism 2); window "
            "functions, which share slices between windows; state on the heap, not in RocksDB; checkpoint "
            f"every 1 s; objects reused; a heap of {HEAP}; results at least once, no transactions",
            "with state on the heap, the job's state must fit into memory; most of its time goes into closing "
            "windows, for which it looks up every slice of every key, so that cost grows with size / every")

    def fetch(self, directory):
        self.jars = maven("flink")
        self.classes = directory / "flink"
        done = subprocess.run(
            [need("javac", "default-jdk-headless"), "-cp", f"{self.jars}/*", "-d", self.classes,
             HERE / "flink" / "FlinkJob.java"], capture_output=True, text=True)
        if done.returncode != 0:
            raise ServiceError(f"FlinkJob.java does not compile: {done.stderr}")

    def command(self, job):
        return ["java", f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseParallelGC", *OPENS,
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.classes}:{self.jars}/*",
                "FlinkJob", HERE / "flink" / "goals.sql", job.place, f"BROKERS={job.kafka.bootstrap}",
                f"TOPIC={job.topic}", f"GROUP={job.group}"], {}
