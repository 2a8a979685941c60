// SPDX-License-Identifier: Apache-2.0
#include "sources/syslog/config.h"

#include <algorithm>
#include <set>
#include <string>

namespace streamd::syslog {
namespace {

bool any_tls(const Config& c) {
  return std::any_of(c.listen.begin(), c.listen.end(),
                     [](const net::Endpoint& e) { return e.transport == net::Transport::tls; });
}

// Port 0 is another one each time.
bool each_once(const Config& c) {
  std::set<std::string> seen;
  return std::all_of(c.listen.begin(), c.listen.end(), [&](const net::Endpoint& e) {
    return (e.path.empty() && e.port == 0) || seen.insert(e.text()).second;
  });
}

constexpr const char* kDetails =
    "Takes what rsyslog, syslog-ng, logger, network devices and nginx send: RFC 5424, RFC 3164 in "
    "the forms that are found, one message for each datagram, or many in a stream, with a length "
    "in front of each (octet counting) or an end of line behind it. In a stream this is decided "
    "for each message anew.\n\n"
    "Records are decoded as `syslog`: `timestamp`, `facility`, `severity`, `facility_code`, "
    "`severity_code`, `host`, `app`, `procid`, `msgid`, `structured_data`, `message`, `peer` (the "
    "address it came from), `sequence`, `format`, `parse_error`, `parse_flags`. `host`, `app`, "
    "`procid`, `msgid` and `peer` are null where a message has none, the rest is left out. A "
    "message that "
    "can't be understood is a record with `message` and `parse_error`. Messages longer than "
    "`max_record` become dead letters. With another `decode` the records are the messages as they "
    "came, and there is no `peer`.\n\n"
    "Event time is `timestamp`, the time of arrival where a message names none, with 5 s of "
    "disorder; `time` changes that.\n\n"
    "Nobody can be asked to send a message again: what was received and is not yet in a "
    "checkpoint is lost with a crash, and what comes while streamd does not run is lost over UDP. "
    "What the kernel threw away as it came too fast is counted as dropped{expired} and told; "
    "`max_per_sender` counts as dropped{throttled}.";

}  // namespace

Spec<Config> spec() {
  using C = Config;
  return Spec<C>("syslog")
      .summary("Receives syslog over UDP, TCP, TLS and a unix socket.")
      .details(kDetails)
      .promise(
          "at most once: a message can't be asked for again, so what came after the last "
          "checkpoint is lost with a crash")
      .field(&C::listen,
             {.name = "listen",
              .help = "Where to receive: udp://, tcp:// or tls:// with address and port, or "
                      "unix:/path for datagrams of this machine. `*` is every address. Ports "
                      "below 1024 need root.",
              .required = true,
              .examples = {"[udp://0.0.0.0:5514, tcp://0.0.0.0:5514]", "unix:/run/streamd/log"}})
      .field(&C::sockets,
             {.name = "sockets",
              .help = "Receiving sockets for each UDP and TCP address; the kernel spreads senders "
                      "over them. 0: one for each worker.",
              .advanced = true,
              .examples = {"4"}})
      .field(&C::receive_buffer,
             {.name = "receive_buffer",
              .help = "What each UDP socket holds while streamd is busy. The system's limit "
                      "(net.core.rmem_max) counts unless streamd is root.",
              .advanced = true})
      .field(&C::framing,
             {.name = "framing",
              .help = "How messages are told apart in a stream. auto: by length where a message "
                      "begins with one, otherwise by line end or NUL."})
      .field(&C::max_per_sender,
             {.name = "max_per_sender",
              .help = "How many messages a second one address may send, over all sockets; what is "
                      "beyond, after a second's worth at once, is dropped and counted. 0: any "
                      "number.",
              .examples = {"20000"}})
      .field(&C::max_connections,
             {.name = "max_connections", .help = "Further connections are closed at once."})
      .field(&C::idle_timeout, {.name = "idle_timeout",
                                .help = "A connection that brings nothing for so long is closed; "
                                        "what is there of a message is a record.",
                                .advanced = true})
      .field(&C::message_timeout,
             {.name = "message_timeout",
              .help = "How long a message may take from its first byte to its last, and a TLS "
                      "handshake; then the connection is closed and what is there of the message "
                      "is a record.",
              .advanced = true})
      .field(&C::tls,
             {.name = "tls",
              .help = "cert and key of this server for tls:// addresses; with ca only clients "
                      "whose certificate it has signed may send.",
              .examples = {"{cert: server.pem, key: server.key, ca: clients.pem}"}})
      .rule("listen names at least one address", [](const C& c) { return !c.listen.empty(); })
      .rule("listen names each address once", each_once)
      .rule("tls:// addresses need tls.cert and tls.key",
            [](const C& c) { return !any_tls(c) || (!c.tls.cert.empty() && !c.tls.key.empty()); })
      .rule("tls needs a tls:// address",
            [](const C& c) {
              return any_tls(c) || (c.tls.cert.empty() && c.tls.key.empty() && c.tls.ca.empty());
            })
      .rule("tls.insecure is for clients", [](const C& c) { return !c.tls.insecure; })
      .rule("sockets must be at most 256", [](const C& c) { return c.sockets <= 256; })
      .rule("max_connections must be from 1 to 1000000",
            [](const C& c) { return c.max_connections >= 1 && c.max_connections <= 1'000'000; })
      .rule("idle_timeout must be longer than 0",
            [](const C& c) { return c.idle_timeout > Duration{}; })
      .rule("message_timeout must be longer than 0",
            [](const C& c) { return c.message_timeout > Duration{}; })
      .example("UDP and TCP", "listen: [udp://0.0.0.0:5514, tcp://0.0.0.0:5514]")
      .example("TLS, known clients only",
               "listen: tls://0.0.0.0:6514\n"
               "tls: {cert: server.pem, key: server.key, ca: clients.pem}")
      .example("Stamps without zone are local time",
               "listen: udp://0.0.0.0:5514\ndecode: {syslog: {zone: Europe/Zurich}}");
}

}  // namespace streamd::syslog
