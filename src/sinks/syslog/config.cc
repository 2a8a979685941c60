// SPDX-License-Identifier: Apache-2.0
#include "sinks/syslog/config.h"

#include "engine/codec/syslog_message.h"

#include <algorithm>

namespace streamd::syslog_out {
namespace {

bool is_sd_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '=' && c != ']' && c != '"';
  });
}

bool good_data(const Config& c) {
  return std::all_of(c.structured_data.begin(), c.structured_data.end(), [](const auto& element) {
    return is_sd_name(element.first) &&
           std::all_of(element.second.begin(), element.second.end(), is_sd_name);
  });
}

constexpr const char* kDetails =
    "Each record is one message with the record's event time. Without `message` its text is the "
    "record as JSON.\n\n"
    "Syslog knows no answer: a message counts as taken when the system has it. Over TCP and TLS "
    "what was on its way when a connection broke may be lost or, as the batch is sent again, "
    "arrive twice; over UDP what the network drops is lost. Records wait on disk while the far "
    "side is away, as far as this machine can notice: over TCP and TLS always, over UDP only "
    "where the network says that nobody listens.\n\n"
    "With framing lf, line ends inside a message become blanks. In header fields null is nothing "
    "(`-`), so what the syslog source gives can be passed on; what is no "
    "printable ASCII becomes `?`, and what is longer than RFC 5424 allows is cut. A datagram that "
    "is too long for the network is a dead letter.";

}  // namespace

Spec<Config> spec() {
  using C = Config;
  auto spec =
      Spec<C>("syslog")
          .summary("Sends records as syslog messages.")
          .details(kDetails + sent_details(kSent))
          .promise("at least once up to the system's send buffer; syslog has no answers")
          .field(&C::to, {.name = "to",
                          .help = "Where to send: udp://, tcp:// or tls:// with host and port, or "
                                  "unix:/path for datagrams on this machine, whose daemon mostly "
                                  "wants format rfc3164.",
                          .required = true,
                          .examples = {"tls://logs.example.com:6514", "udp://192.0.2.1:514",
                                       "unix:/dev/log"}})
          .field(&C::format, {.name = "format", .help = "How messages are written."})
          .field(&C::framing,
                 {.name = "framing",
                  .help = "How messages are told apart over TCP and TLS: a length in front or a "
                          "line end behind."})
          .field(&C::message,
                 {.name = "message",
                  .help = "The text, with {{ expressions }}. Without it the record as JSON.",
                  .examples = {"\"{{ client_ip }} made {{ requests }} requests\""}})
          .field(&C::facility, {.name = "facility",
                                .help = "Name or number, with {{ expressions }} if it differs.",
                                .examples = {"local0", "\"{{ facility }}\""}})
          .field(&C::severity, {.name = "severity",
                                .help = "Name or number, with {{ expressions }} if it differs.",
                                .examples = {"warning", "\"{{ severity }}\""}})
          .field(&C::host, {.name = "host",
                            .help = "Whose message it is. Without it this machine's name; with "
                                    "format rfc3164 to a unix socket none, as its daemon takes "
                                    "the first word for the program.",
                            .examples = {"\"{{ host }}\""}})
          .field(&C::app, {.name = "app", .help = "The program's name; the tag of RFC 3164."})
          .field(&C::procid,
                 {.name = "procid", .help = "Process id, if there is one.", .advanced = true})
          .field(&C::msgid, {.name = "msgid",
                             .help = "Kind of the message; only RFC 5424 has a place for it.",
                             .advanced = true,
                             .examples = {"blocked"}})
          .field(&C::structured_data,
                 {.name = "structured_data",
                  .help = "Elements with the fields that each holds; fields that a record does "
                          "not have are left out. Only with format rfc5424.",
                  .examples = {"{\"alert@32473\": [client_ip, requests]}"}})
          .field(&C::zone, {.name = "zone",
                            .help = "Zone of RFC 3164's stamps, which do not name one.",
                            .advanced = true,
                            .examples = {"Europe/Zurich"}})
          .field(&C::tls,
                 {.name = "tls",
                  .help = "Certificates of a tls:// address: the authority to trust, and who we "
                          "are.",
                  .examples = {"{ca: ca.pem, cert: client.pem, key: client.key}"}})
          .field(&C::timeout, {.name = "timeout", .help = "How long sending may stand still."})
          .field(&C::connect_timeout,
                 {.name = "connect_timeout", .help = "How long connecting may take."})
          .rule("to needs a host",
                [](const C& c) { return !c.to.path.empty() || !c.to.host.empty(); })
          .rule("to needs a port", [](const C& c) { return !c.to.path.empty() || c.to.port != 0; })
          .rule("structured_data needs format: rfc5424",
                [](const C& c) { return c.structured_data.empty() || c.format == Format::rfc5424; })
          .rule(
              "names in structured_data have 1 to 32 printable characters without blank, =, ] "
              "and \"",
              good_data)
          .rule("zone is UTC, a name such as Europe/Zurich or an offset",
                [](const C& c) { return SyslogParser::is_zone(c.zone); })
          .rule("tls needs a tls:// address",
                [](const C& c) {
                  return c.to.transport == net::Transport::tls ||
                         (c.tls.ca.empty() && c.tls.cert.empty() && !c.tls.insecure);
                })
          .rule("tls.cert and tls.key belong together",
                [](const C& c) { return c.tls.cert.empty() == c.tls.key.empty(); })
          .rule("timeout must be longer than 0", [](const C& c) { return c.timeout > Duration{}; })
          .rule("connect_timeout must be longer than 0",
                [](const C& c) { return c.connect_timeout > Duration{}; })
          .example("Alerts to a syslog server",
                   "to: tls://logs.example.com:6514\nseverity: warning\napp: streamd-alerts\n"
                   "message: \"{{ client_ip }} made {{ requests }} requests\"")
          .example("To the old daemon of this machine",
                   "to: unix:/dev/log\nformat: rfc3164\nmessage: \"{{ client_ip }}\"");
  delivery::add_fields(spec);
  return spec;
}

}  // namespace streamd::syslog_out
