// SPDX-License-Identifier: Apache-2.0
// What syslog costs: a message to parse, and a message to receive over loopback and decode.
//   bench_syslog_cost parse
//   bench_syslog_cost udp|tcp [messages, 5000000 by default] [a second, udp only; 0: no pace]
// Messages have about 300 bytes. The sender is a thread of its own; "cpu_ns" is the receiver's.
// Prints JSON.
#include "engine/api/registry.h"
#include "engine/codec/decode.h"
#include "engine/codec/syslog_message.h"
#include "engine/io/net/socket.h"
#include "sources/builtin_sources.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

using namespace streamd;

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string number(std::size_t n) { return std::to_string(n); }

std::string rfc5424(std::size_t n) {
  std::string out = "<" + number(8 + n % 180) + ">1 2024-01-02T03:" + number(10 + n % 50) + ":" +
                    number(10 + n % 50) + "." + number(100'000 + n % 900'000) + "+01:00 web" +
                    number(n % 100) + ".example.org nginx " + number(1000 + n % 9000) +
                    " ACCESS [origin@32473 ip=\"192.0.2." + number(n % 256) +
                    "\" zone=\"eu-west\"][meta sequenceId=\"" + number(n) + "\"] ";
  out += "192.0.2." + number(n % 256) + " asked for /a/b/c?d=" + number(n) + " with Mozilla/5.0 ";
  while (out.size() < 300) out += "text ";
  return out;
}

std::string rfc3164(std::size_t n) {
  std::string out = "<" + number(8 + n % 180) + ">Jan  2 03:" + number(10 + n % 50) + ":" +
                    number(10 + n % 50) + " web" + number(n % 100) + " sshd[" + number(n) +
                    "]: Failed password for root from 192.0.2." + number(n % 256) + " port 22 ";
  while (out.size() < 300) out += "text ";
  return out;
}

template <class Make>
std::vector<std::string> many(Make make) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < 1000; ++i) out.push_back(make(i * 7919));
  return out;
}

double parse_ns(const std::vector<std::string>& texts, const std::string& zone) {
  SyslogParser parser(zone);
  SyslogMessage message;
  std::uint64_t sum = 0;
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    const double begin = cpu_seconds();
    for (int i = 0; i < 100; ++i) {
      for (const std::string& text : texts) {
        parser.parse(text, EventTime{1'704'200'000'000'000}, message);
        sum += message.message.size() + message.host.size();
      }
    }
    best =
        std::min(best, (cpu_seconds() - begin) * 1e9 / (100.0 * static_cast<double>(texts.size())));
  }
  if (sum == 0) std::exit(1);
  return best;
}

double decode_ns(const std::vector<std::string>& texts, std::vector<std::string> fields) {
  const auto decoder = make_decoder({DecodeConfig::Kind::syslog, "UTC"}, std::move(fields));
  RawBatch in;
  for (const auto& text : texts) in.records.push_back({text, 0, EventTime{1'704'200'000'000'000}});
  Decoded out;
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    const double begin = cpu_seconds();
    for (int i = 0; i < 50; ++i) decoder->decode(in, out);
    best =
        std::min(best, (cpu_seconds() - begin) * 1e9 / (50.0 * static_cast<double>(texts.size())));
  }
  return best;
}

const std::vector<std::string> kFields = {"timestamp", "severity", "host", "app", "message"};

int parse() {
  const auto modern = many(rfc5424), old = many(rfc3164);
  std::printf(
      "{\"rfc5424_ns\": %.1f, \"rfc3164_ns\": %.1f, \"rfc3164_zone_ns\": %.1f, "
      "\"rfc5424_5_fields_ns\": %.1f, \"rfc5424_structured_data_ns\": %.1f}\n",
      parse_ns(modern, "UTC"), parse_ns(old, "UTC"), parse_ns(old, "Europe/Zurich"),
      decode_ns(modern, kFields), decode_ns(modern, {"structured_data"}));
  return 0;
}

void send_datagrams(const net::Endpoint& to, std::size_t messages, double a_second) {
  const auto socket = net::connect_to(to, Duration::from_seconds(5), {});
  const auto texts = many(rfc5424);
  constexpr std::size_t kAtOnce = 64;
  std::array<mmsghdr, kAtOnce> heads{};
  std::array<iovec, kAtOnce> places{};
  const double begin = wall_seconds();
  for (std::size_t sent = 0; sent < messages;) {
    if (a_second > 0) {
      while (static_cast<double>(sent) > (wall_seconds() - begin) * a_second)
        std::this_thread::yield();
    }
    const std::size_t count = std::min(kAtOnce, messages - sent);
    for (std::size_t i = 0; i < count; ++i) {
      std::string& text = const_cast<std::string&>(texts[(sent + i) % texts.size()]);
      places[i] = {text.data(), text.size()};
      heads[i].msg_hdr.msg_iov = &places[i];
      heads[i].msg_hdr.msg_iovlen = 1;
    }
    const int done =
        ::sendmmsg(socket->descriptor(), heads.data(), static_cast<unsigned>(count), 0);
    if (done > 0) sent += static_cast<std::size_t>(done);
  }
}

void send_stream(const net::Endpoint& to, std::size_t messages) {
  const auto socket = net::connect_to(to, Duration::from_seconds(5), {});
  std::string block;
  for (const auto& text : many(rfc5424)) block += number(text.size()) + " " + text;
  for (std::size_t sent = 0; sent < messages; sent += 1000) {
    std::string_view rest = block;
    while (!rest.empty()) {
      if (!net::wait_for(*socket, true, Duration::from_seconds(10), {})) return;
      const ssize_t done = ::send(socket->descriptor(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (done > 0) rest.remove_prefix(static_cast<std::size_t>(done));
    }
  }
}

int receive(bool udp, std::size_t messages, double a_second) {
  Registry registry;
  add_syslog_source(registry);
  const auto scalar = [](std::string text) {
    ConfigNode node;
    node.shape = ConfigNode::Shape::scalar;
    node.text = std::move(text);
    return node;
  };
  ConfigNode fields;
  fields.shape = ConfigNode::Shape::map;
  fields.entries.emplace_back(scalar("listen"),
                              scalar(udp ? "udp://127.0.0.1:0" : "tcp://127.0.0.1:0"));
  Diagnostics problems;
  const auto plan = registry.sources().front().make(fields, {}, problems).plan;
  SystemClock clock;
  SourceContext context;
  context.clock = &clock;
  std::string where;
  context.log = [&where](int, const std::string& text) {
    if (text.starts_with("receives at ")) where = text.substr(12);
  };
  const auto source = std::move(*plan->open(std::move(context)));
  const auto reader = std::move(*source->reader(0));
  const auto to = *net::parse_endpoint(where);
  const auto decoder = make_decoder({DecodeConfig::Kind::syslog, "UTC"}, kFields);
  std::atomic<bool> over{false};
  std::thread sender([&] {
    if (udp)
      send_datagrams(to, messages, a_second);
    else
      send_stream(to, messages);
    over = true;
  });
  RawBatch batch;
  Decoded decoded;
  std::size_t received = 0, lost = 0;
  const double begin = wall_seconds();
  double end = begin;
  const double cpu = cpu_seconds();
  // A second without a message after the last one was sent: the reader has counted what was lost.
  while (received + lost < messages && (!over || wall_seconds() - end < 2)) {
    if (!reader->pull({4096, Duration::from_millis(1)}, batch)) return 1;
    lost += batch.expired;
    if (batch.records.empty()) continue;
    decoder->decode(batch, decoded);
    received += decoded.records.size();
    end = wall_seconds();
  }
  const double used = cpu_seconds() - cpu;
  sender.join();
  std::printf(
      "{\"messages\": %zu, \"received\": %zu, \"lost\": %zu, \"a_second\": %.0f, \"cpu_ns\": %.1f, "
      "\"a_second_per_core\": %.0f}\n",
      messages, received, lost, static_cast<double>(received) / (end - begin),
      used * 1e9 / static_cast<double>(received), static_cast<double>(received) / used);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "parse";
  if (what == "parse") return parse();
  const std::size_t messages = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000'000;
  return receive(what == "udp", messages, argc > 3 ? std::atof(argv[3]) : 0);
}
