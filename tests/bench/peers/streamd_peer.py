# SPDX-License-Identifier: Apache-2.0
"""streamd itself, doing what the peers beside it do: file to files, Kafka to Kafka."""

from job import Peer


class Streamd(Peer):
    def __init__(self, reads):
        exactly = ", results exactly once" if reads == "kafka" else ""
        super().__init__("streamd", "", reads,
                         f"one worker on one core, state in RocksDB, checkpoint every 1 s{exactly}", "")

    def fetch(self, directory):
        pass

    def run(self, programs, job):
        if self.reads == "file":
            return programs.streamd("nginx_file", {"INPUT": job.path}, goals_to=job.place)
        return programs.streamd("nginx_kafka", {"KAFKA_BROKERS": job.kafka.bootstrap,
                                                "INPUT_TOPIC": job.topic, "GROUP": job.group})
