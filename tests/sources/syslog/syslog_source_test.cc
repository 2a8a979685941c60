// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/decode.h"
#include "engine/io/net/socket.h"
#include "sources/builtin_sources.h"
#include "sources/syslog/sender_limits.h"
#include "tests/contract/source_contract.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace streamd;
using namespace streamd::test;
using namespace std::string_literals;

namespace {

using Fields = std::vector<std::pair<std::string, ConfigNode>>;

struct Lines {
  std::mutex mutex;
  std::vector<std::string> all;
  void add(const std::string& text) {
    const std::lock_guard lock(mutex);
    all.push_back(text);
  }
  int count(const std::string& part) {
    const std::lock_guard lock(mutex);
    int found = 0;
    for (const auto& line : all) found += line.find(part) != std::string::npos ? 1 : 0;
    return found;
  }
  // What follows "receives at " in the n-th such line.
  std::string address(std::size_t n) {
    const std::lock_guard lock(mutex);
    for (const auto& line : all)
      if (line.starts_with("receives at ") && n-- == 0) return line.substr(12, line.find(',') - 12);
    return {};
  }
};

// Of what every source can be told, what this one looks at, too.
struct Common {
  DecodeConfig decode;
};

std::unique_ptr<SourcePlan> plan(Fields fields, Diagnostics& problems) {
  static const SpecView common =
      Spec<Common>("source").field(&Common::decode, {.name = "decode", .help = ""}).view();
  static const Registry registry = [] {
    Registry made;
    add_syslog_source(made);
    return made;
  }();
  return make_plan(registry.sources(), "syslog", map_of(std::move(fields)), problems, {&common});
}

// A source that runs, its clock, and what it said.
struct Intake {
  ManualClock clock{EventTime{1'700'000'000'000'000}};
  std::shared_ptr<Lines> lines = std::make_shared<Lines>();
  std::unique_ptr<SourcePlan> made;
  std::unique_ptr<Source> source;
  std::vector<std::unique_ptr<Reader>> readers;
  std::vector<SeenRecord> seen;
  std::vector<EventTime> arrivals;
  std::uint64_t expired = 0, throttled = 0;

  explicit Intake(Fields fields, std::size_t max_record = 1 << 20, unsigned workers = 1,
                  const Positions& at = {}) {
    Diagnostics problems;
    made = plan(std::move(fields), problems);
    REQUIRE(made);
    SourceContext context;
    context.clock = &clock;
    context.max_record = max_record;
    context.workers = workers;
    context.resume_at = at;
    context.log = [kept = lines](int, const std::string& text) { kept->add(text); };
    auto opened = made->open(std::move(context));
    if (!opened) FAIL(opened.error().message);
    source = std::move(*opened);
    for (unsigned w = 0; w < workers; ++w) readers.push_back(std::move(*source->reader(w)));
  }
  ~Intake() {
    readers.clear();
    source->close();
  }

  void pull(Duration wait = {}, std::size_t max_records = 4096) {
    for (const auto& reader : readers) {
      RawBatch batch;
      const auto pulled = reader->pull({max_records, wait}, batch);
      if (!pulled) FAIL(pulled.error().message);
      expired += batch.expired;
      throttled += batch.throttled;
      CHECK(batch.records.size() <= max_records);
      for (const RawRecord& r : batch.records) {
        seen.push_back({reader->partition_name(batch.partition), r.position, std::string(r.data),
                        std::string(r.fault)});
        arrivals.push_back(r.arrival);
      }
    }
  }
  template <class Condition>
  void pull_until(Condition condition, std::size_t max_records = 4096) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      pull(Duration::from_millis(5), max_records);
    }
  }
  void pull_records(std::size_t count, std::size_t max_records = 4096) {
    pull_until([&] { return seen.size() >= count; }, max_records);
    pull();
    CHECK(seen.size() == count);
  }
  // Texts without envelopes, of all records.
  std::multiset<std::string> texts() const {
    std::multiset<std::string> out;
    for (const auto& record : seen) out.insert(record.data.substr(record.data.find('\x02') + 1));
    return out;
  }
  net::Endpoint at(std::size_t n = 0) const { return *net::parse_endpoint(lines->address(n)); }
};

struct Client {
  net::Socket socket;
  explicit Client(const net::Endpoint& to) {
    auto made = net::connect_to(to, Duration::from_seconds(10), {});
    if (!made) FAIL(made.error().message);
    socket = std::move(*made);
  }
  void send(std::string_view text) const {
    while (!text.empty()) {
      REQUIRE(net::wait_for(socket, true, Duration::from_seconds(10), {}));
      const ssize_t sent = ::send(socket.descriptor(), text.data(), text.size(), MSG_NOSIGNAL);
      REQUIRE(sent > 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Whether the far side has closed.
  bool closed() const {
    char byte = 0;
    const ssize_t got = ::recv(socket.descriptor(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
};

ConfigNode tcp() { return scalar("tcp://127.0.0.1:0"); }
ConfigNode udp() { return scalar("udp://127.0.0.1:0"); }

}  // namespace

TEST_CASE("Datagrams are records with their sender's address and their arrival") {
  Intake in({{"listen", udp()}});
  const Client client(in.at());
  client.send("<34>1 - h a - - - one");
  client.send("<34>two\n");
  client.send("");
  in.pull_records(2);
  CHECK(in.seen[0].data ==
        "\x01"
        "127.0.0.1\x02<34>1 - h a - - - one");
  CHECK(in.seen[1].data ==
        "\x01"
        "127.0.0.1\x02<34>two\n");
  CHECK(in.seen[0].partition == "syslog/0");
  CHECK(in.seen[1].position > in.seen[0].position);
  CHECK(in.arrivals[0] == in.clock.wall());
  std::vector<PartitionState> states;
  in.pull();
  in.readers[0]->partitions(states);
  REQUIRE(states.size() == 1);
  CHECK(states[0].caught_up);
  CHECK_FALSE(states[0].ended);
}

TEST_CASE("A datagram may be as long as UDP allows") {
  Intake in({{"listen", udp()}});
  const Client client(in.at());
  const std::string longest(65'507, 'x');
  client.send(longest);
  client.send("<1>next");
  in.pull_records(2);
  CHECK(in.texts() == std::multiset<std::string>{longest, "<1>next"});
}

TEST_CASE("More datagrams than a batch takes come in the next ones, in order") {
  Intake in({{"listen", udp()}, {"receive_buffer", scalar("4MiB")}});
  const Client client(in.at());
  for (int i = 0; i < 1000; ++i) client.send("<1>message " + std::to_string(i));
  in.pull_records(1000, 7);
  for (std::size_t i = 0; i < 1000; ++i)
    CHECK(in.seen[i].data.ends_with("message " + std::to_string(i)));
}

TEST_CASE("Big datagrams that fill the block of a batch are not lost") {
  Intake in({{"listen", udp()}});
  const Client client(in.at());
  for (int i = 0; i < 20; ++i) {
    client.send(std::string(60'000, static_cast<char>('a' + i)));
    in.pull();
  }
  in.pull_records(20);
  CHECK(in.expired == 0);
}

TEST_CASE("Messages of a stream are cut whatever the framing") {
  Intake in({{"listen", tcp()}});
  const Client client(in.at());
  client.send("8 <1>a\nb c<2>line\n<3>nul\0<4>half"s);
  in.pull_records(3);
  client.send(" done\n");
  in.pull_records(4);
  CHECK(in.texts() == std::multiset<std::string>{"<1>a\nb c", "<2>line", "<3>nul", "<4>half done"});
  CHECK(
      in.seen[0].data.starts_with("\x01"
                                  "127.0.0.1\x02"));
}

TEST_CASE("What a connection has sent counts when it ends, also without a line end") {
  Intake in({{"listen", tcp()}});
  {
    const Client client(in.at());
    client.send("<1>a\n<2>b");
  }
  in.pull_records(2);
  CHECK(in.texts() == std::multiset<std::string>{"<1>a", "<2>b"});
}

TEST_CASE("A stream is cut the same with small batches") {
  Intake in({{"listen", tcp()}});
  {
    const Client client(in.at());
    std::string all;
    for (int i = 0; i < 5000; ++i) all += "<1>message " + std::to_string(i) + "\n";
    client.send(all);
  }
  in.pull_records(5000, 3);
  for (std::size_t i = 0; i < 5000; ++i)
    CHECK(in.seen[i].data.ends_with("message " + std::to_string(i)));
}

TEST_CASE("Long messages that come in pieces are whole") {
  Intake in({{"listen", tcp()}});
  const Client a(in.at()), b(in.at());
  const std::string longer(200'000, 'x');
  a.send("<1>" + longer.substr(0, 100'000));
  in.pull();
  b.send("<2>short\n");
  in.pull_records(1);
  a.send(longer.substr(100'000) + "\n300003 <3>" + longer);
  in.pull_until([&] { return in.seen.size() >= 2; });
  a.send(longer.substr(0, 100'000) + "<4>end\n");
  in.pull_records(4);
  CHECK(in.texts().count("<1>" + longer) == 1);
  CHECK(in.texts().count("<3>" + longer + longer.substr(0, 100'000)) == 1);
}

TEST_CASE("A message longer than max_record is a fault that shows its beginning") {
  Intake in({{"listen", list_of({"tcp://127.0.0.1:0", "udp://127.0.0.1:0"})}}, 1000);
  const Client stream(in.at(0)), datagram(in.at(1));
  stream.send("<1>" + std::string(5000, 'x') + "\n<2>ok\n");
  in.pull_records(2);
  CHECK(in.seen[0].fault == "too-long");
  CHECK(in.seen[0].data.find("<1>xxx") != std::string::npos);
  CHECK(in.seen[1].fault.empty());
  datagram.send(std::string(1001, 'y'));
  datagram.send(std::string(1000, 'z'));
  in.pull_records(4);
  CHECK(in.seen[2].fault == "too-long");
  CHECK(in.seen[3].fault.empty());
}

TEST_CASE("A sender that never ends its message is closed and what it sent is a record") {
  Intake in({{"listen", tcp()}, {"message_timeout", scalar("10s")}});
  const Client slow(in.at()), good(in.at());
  slow.send("<1>never");
  good.send("<2>a\n");
  in.pull_records(1);
  // A byte now and then changes nothing.
  in.clock.advance(Duration::from_seconds(6));
  slow.send("e");
  good.send("<2>b\n");
  in.pull_records(2);
  CHECK_FALSE(slow.closed());
  in.clock.advance(Duration::from_seconds(6));
  in.pull_until([&] { return slow.closed(); });
  CHECK(in.texts().count("<1>nevere") == 1);
  CHECK_FALSE(good.closed());
  CHECK(in.lines->count("message_timeout") == 1);
  good.send("<2>c\n");
  in.pull_records(4);
}

TEST_CASE("A connection that brings nothing for long is closed, silently") {
  Intake in({{"listen", tcp()}, {"idle_timeout", scalar("1m")}});
  const Client idle(in.at()), busy(in.at());
  busy.send("<1>a\n");
  in.pull_records(1);
  for (int i = 0; i < 3; ++i) {
    in.clock.advance(Duration::from_seconds(25));
    busy.send("<1>b\n");
    in.pull_records(static_cast<std::size_t>(i) + 2);
  }
  in.pull_until([&] { return idle.closed(); });
  CHECK_FALSE(busy.closed());
  CHECK(in.lines->all.size() == 1);  // where it receives
}

TEST_CASE("What a silent connection has sent of a message is a record") {
  Intake in({{"listen", tcp()}, {"idle_timeout", scalar("5s")}});
  const Client client(in.at());
  client.send("<1>a\n<1>without an end");
  in.pull_records(1);
  in.clock.advance(Duration::from_seconds(6));
  in.pull_until([&] { return client.closed(); });
  CHECK(in.texts() == std::multiset<std::string>{"<1>a", "<1>without an end"});
}

TEST_CASE("The time in which nobody read a connection is not its silence") {
  Intake in({{"listen", list_of({"tcp://127.0.0.1:0", "udp://127.0.0.1:0"})},
             {"idle_timeout", scalar("1m")},
             {"message_timeout", scalar("10s")}});
  const Client a(in.at()), b(in.at()), c(in.at()), datagrams(in.at(1));
  a.send("<1>first\n");
  b.send("<2>first\n");
  c.send("<3>first\n<3>be");
  in.pull_records(3);
  // A sink holds the pipeline up; then there is more than one batch takes.
  for (int i = 0; i < 10; ++i) datagrams.send("<4>x");
  a.send("<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n<1>x\n");
  b.send("<2>last\n");
  c.send("gun\n<3>last\n");
  in.clock.advance(Duration::from_seconds(120));
  in.pull_records(26, 4);
  CHECK(in.texts().count("<2>last") == 1);
  CHECK(in.texts().count("<3>begun") == 1);
  CHECK(in.texts().count("<3>last") == 1);
  CHECK_FALSE(b.closed());
  CHECK_FALSE(c.closed());
}

TEST_CASE("Connections beyond max_connections are refused and told once") {
  Intake in({{"listen", tcp()}, {"max_connections", scalar("2")}});
  const Client a(in.at()), b(in.at());
  a.send("<1>a\n");
  b.send("<1>b\n");
  in.pull_records(2);
  const Client c(in.at()), d(in.at());
  in.pull_until([&] { return c.closed() && d.closed(); });
  in.clock.advance(Duration::from_seconds(2));
  in.pull();
  CHECK(in.lines->count("max_connections") == 1);
  a.send("<1>c\n");
  in.pull_records(3);
}

TEST_CASE("What one address sends beyond its rate is dropped and counted, others go on") {
  Intake in({{"listen", udp()}, {"max_per_sender", scalar("100")}});
  const Client client(in.at());
  for (int i = 0; i < 250; ++i) client.send("<1>x");
  in.pull_until([&] { return in.seen.size() + in.throttled >= 250; });
  CHECK(in.seen.size() == 100);
  CHECK(in.throttled == 150);
  in.clock.advance(Duration::from_seconds(1));
  in.pull();
  CHECK(in.lines->count("max_per_sender") == 1);
  for (int i = 0; i < 250; ++i) client.send("<1>x");
  in.pull_until([&] { return in.seen.size() + in.throttled >= 500; });
  CHECK(in.seen.size() == 200);
  CHECK(in.lines->count("max_per_sender") == 1);
}

TEST_CASE("A sender with many ports, and so at several sockets, may not send more") {
  Intake in({{"listen", udp()}, {"max_per_sender", scalar("50")}}, 1 << 20, 2);
  for (int c = 0; c < 16; ++c) {
    const Client client(in.at());
    for (int i = 0; i < 12; ++i) client.send("<1>x");
  }
  in.pull_until([&] { return in.seen.size() + in.throttled >= 16 * 12; });
  CHECK(in.seen.size() == 50);
  CHECK(in.throttled == 16 * 12 - 50);
}

TEST_CASE("Limits are for each address, and a flood of addresses does not lift them") {
  syslog::SenderLimits limits(10, 42);
  const auto address = [](std::uint32_t n) {
    std::string out(16, '\0');
    std::memcpy(out.data() + 12, &n, 4);
    return out;
  };
  const Duration now = Duration::from_seconds(5);
  int passed = 0;
  for (int i = 0; i < 30; ++i) passed += limits.take(address(1).data(), now) ? 1 : 0;
  CHECK(passed == 10);
  for (std::uint32_t n = 100; n < 20'000; ++n) CHECK(limits.take(address(n).data(), now));
  CHECK_FALSE(limits.take(address(1).data(), now));
  CHECK(limits.take(address(1).data(), now + Duration::from_millis(100)));
  CHECK_FALSE(limits.take(address(1).data(), now + Duration::from_millis(100)));
  CHECK(syslog::SenderLimits(0, 1).take(address(1).data(), now));
}

TEST_CASE("What the kernel threw away is counted as expired and told") {
  Intake in({{"listen", udp()}, {"receive_buffer", scalar("1B")}});
  const Client client(in.at());
  const std::string text(500, 'x');
  for (int i = 0; i < 1000; ++i) client.send(text);
  in.pull();
  in.clock.advance(Duration::from_seconds(1));
  in.pull_until([&] { return in.seen.size() + in.expired >= 1000; });
  CHECK(in.seen.size() + in.expired == 1000);
  CHECK(in.expired > 0);
  CHECK(in.lines->count("thrown away by the kernel") == 1);
}

TEST_CASE("Datagrams of this machine come over a unix socket") {
  const TempDir folder;
  const auto listen = [&] { return scalar("unix:" + folder.file("log")); };
  {
    Intake in({{"listen", listen()}});
    const Client client(in.at());
    client.send("<13>Jan  2 03:04:05 app[1]: x");
    in.pull_records(1);
    // No address; the envelope is there, so that nobody can send one.
    CHECK(in.seen[0].data == "\x01\x02<13>Jan  2 03:04:05 app[1]: x");
  }
  CHECK_FALSE(std::filesystem::exists(folder.file("log")));
}

TEST_CASE("Several workers share an address and each sender keeps its own") {
  Intake in({{"listen", udp()}, {"sockets", scalar("3")}}, 1 << 20, 2);
  std::vector<Client> clients;
  for (int i = 0; i < 32; ++i) clients.emplace_back(in.at());
  for (int round = 0; round < 10; ++round)
    for (const auto& client : clients) client.send("<1>x");
  in.pull_records(320);
  std::set<std::string> partitions;
  for (const auto& record : in.seen) partitions.insert(record.partition);
  CHECK(partitions == std::set<std::string>{"syslog/0", "syslog/1"});
}

TEST_CASE("A worker without a socket has nothing to read") {
  Intake in({{"listen", udp()}, {"sockets", scalar("1")}}, 1 << 20, 2);
  RawBatch batch;
  CHECK(in.readers[1]->pull({10, {}}, batch).value() == Pull::end);
  in.readers.pop_back();
}

TEST_CASE("Two runs never give two messages the same number") {
  Positions committed;
  std::set<std::uint64_t> numbers;
  for (int run = 0; run < 3; ++run) {
    Intake in({{"listen", udp()}}, 1 << 20, 1, committed);
    const Client client(in.at());
    client.send("<1>a");
    in.pull_records(1);
    committed = positions_of(*in.readers[0]);
    client.send("<1>b");
    client.send("<1>c");
    in.pull_records(3);
    for (const auto& record : in.seen) CHECK(numbers.insert(record.position).second);
    in.clock.advance(Duration::from_seconds(run));
  }
  CHECK(numbers.size() == 3 * 3);
}

TEST_CASE("With another decoder the messages come as they are") {
  Intake in({{"listen", udp()}, {"decode", scalar("json")}});
  const Client client(in.at());
  client.send("{\"a\":1}");
  in.pull_records(1);
  CHECK(in.seen[0].data == "{\"a\":1}");
  Intake zoned(
      {{"listen", udp()}, {"decode", map_of({{"syslog", map_of({{"zone", scalar("UTC")}})}})}});
  const Client other(zoned.at());
  other.send("<1>a");
  zoned.pull_records(1);
  CHECK(zoned.seen[0].data ==
        "\x01"
        "127.0.0.1\x02<1>a");
}

TEST_CASE("An address that is taken is an error when the pipeline starts") {
  Intake in({{"listen", udp()}});
  Diagnostics problems;
  auto made = plan({{"listen", scalar(in.lines->address(0))}}, problems);
  REQUIRE(made);
  SourceContext context;
  context.clock = &in.clock;
  context.workers = 2;
  const auto opened = made->open(std::move(context));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find(in.lines->address(0)) != std::string::npos);
}

TEST_CASE("Wrong settings are reported") {
  const auto wrong = [](Fields fields) {
    Diagnostics problems;
    plan(std::move(fields), problems);
    return problems.errors();
  };
  CHECK(wrong({{"listen", udp()}}) == 0);
  CHECK(wrong({}) == 1);
  CHECK(wrong({{"listen", scalar("udp://127.0.0.1")}}) == 1);
  CHECK(wrong({{"listen", list_of({"udp://127.0.0.1", "nonsense"})}}) == 2);
  CHECK(wrong({{"listen", scalar("tls://127.0.0.1:6514")}}) == 1);
  CHECK(wrong({{"listen", udp()}, {"tls", map_of({{"ca", scalar("ca.pem")}})}}) == 1);
  CHECK(wrong({{"listen", udp()}, {"tls", map_of({{"key", scalar("key.pem")}})}}) == 1);
  CHECK(wrong({{"listen", list_of({"udp://127.0.0.1:5514", "udp://127.0.0.1:5514"})}}) == 1);
  CHECK(wrong({{"listen", list_of({"unix:/run/log", "unix:///run/log"})}}) == 1);
  CHECK(wrong({{"listen", list_of({"udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"})}}) == 0);
  CHECK(wrong({{"listen", list_of({"udp://127.0.0.1:0", "udp://127.0.0.1:0"})}}) == 0);
  CHECK(wrong({{"listen", udp()}, {"max_connections", scalar("0")}}) == 1);
  CHECK(wrong({{"listen", udp()}, {"message_timeout", scalar("0s")}}) == 1);
  // Each is told by itself, and not that the other one is missing.
  CHECK(wrong({{"listen", udp()},
               {"idle_timeout", scalar("0s")},
               {"message_timeout", scalar("0s")}}) == 2);
  CHECK(wrong({{"listen", udp()}, {"framing", scalar("crlf")}}) == 1);
}

TEST_CASE("The promise and the addresses are told") {
  Diagnostics problems;
  const auto made = plan({{"listen", list_of({"udp://0.0.0.0:514", "unix:/run/x"})}}, problems);
  REQUIRE(made);
  CHECK(made->describe().find("udp://0.0.0.0:514, unix:/run/x") != std::string::npos);
  CHECK(made->describe().find("lost with a crash") != std::string::npos);
  CHECK(made->default_decode() == "syslog");
  CHECK_FALSE(made->bounded());
}
