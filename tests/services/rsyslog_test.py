# SPDX-License-Identifier: Apache-2.0
"""The rsyslogd of the tests: what goes in comes out, over each transport."""

from pathlib import Path

from certificates import Certificates
from rsyslog_service import Forward, Rsyslog
from service import wait_until


def test_messages_go_from_one_to_another_over_udp_tcp_and_tls(tmp_path):
    certificates = Certificates(Path(tmp_path) / "certs")
    server, client = (certificates.ca, *certificates.pair("good")), (certificates.ca,
                                                                     *certificates.pair("client"))
    with Rsyslog(receive=True, certificates=server) as receiver:
        forwards = [Forward(receiver.udp, protocol="udp"), Forward(receiver.tcp),
                    Forward(receiver.tcp, framing="traditional"), Forward(receiver.tls, tls=True)]
        with Rsyslog(forwards, certificates=client) as sender:
            sender.log("over and out", tag="app", priority="local0.warning")
            wait_until(lambda: len(receiver.received()) == 4, 30, "the message four times")
        for message in receiver.received():
            assert message["message"].strip() == "over and out"
            assert (message["app"], message["facility"], message["severity"]) == ("app", "local0",
                                                                                   "warning")
