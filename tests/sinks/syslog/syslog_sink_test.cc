// SPDX-License-Identifier: Apache-2.0
#include "engine/io/net/socket.h"
#include "sinks/builtin_sinks.h"
#include "sinks/syslog/writer.h"
#include "tests/contract/sink_contract.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <sys/socket.h>
#include <vector>

using namespace streamd;
using namespace streamd::test;

namespace {

using Fields = std::vector<std::pair<std::string, ConfigNode>>;

const Schema kSchema{
    {{"ip", Type::string}, {"n", Type::int64}, {"level", Type::string}}, false, {}};
constexpr EventTime kTime{1'704'164'645'123'456};  // 2024-01-02T03:04:05.123456Z

Batch records(std::vector<std::array<Value, 3>> rows) {
  std::vector<Column> columns(3);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < 3; ++c) columns[c].push_back(row[c]);
  Batch batch = batch_of(std::move(columns));
  auto at = std::make_shared<Rows>(batch.rows());
  for (auto& time : at->time) time = kTime;
  return {at, batch.columns(), batch.origin_ptr()};
}
Batch record(std::string_view ip, Value n, std::string_view level) {
  return records({{Value::string(ip), n, Value::string(level)}});
}

struct Written {
  std::string text, code, reason;
};

// The message that a sink with these fields makes of a record.
Written write(Fields fields, const Batch& batch, const char* to = "udp://192.0.2.1:514") {
  fields.emplace_back("to", scalar(to));
  Diagnostics problems;
  const auto config = syslog_out::spec().parse(map_of(std::move(fields)), problems);
  if (!config) FAIL(problems.all()[0].message);
  const auto templates = syslog_out::Templates::parse(*config, problems);
  const auto writer =
      syslog_out::MessageWriter::bind(*config, templates, kSchema, {}, "here", problems);
  if (problems.errors() > 0) FAIL(problems.all()[0].message);
  syslog_out::MessageWriter::Scratch scratch;
  Written out;
  if (const auto fault = writer->write(batch, 0, out.text, scratch)) {
    out.code = fault->code;
    out.reason = fault->reason;
  }
  return out;
}

std::unique_ptr<SinkPlan> plan(Fields fields, Diagnostics& problems) {
  static const Registry registry = [] {
    Registry made;
    add_syslog_sink(made);
    return made;
  }();
  return make_plan(registry.sinks(), "syslog", map_of(std::move(fields)), problems);
}

std::size_t problems_of(Fields fields) {
  Diagnostics problems;
  if (const auto made = plan(std::move(fields), problems)) made->bind(kSchema, problems);
  return problems.errors();
}

ConfigNode to() { return scalar("udp://192.0.2.1:514"); }

}  // namespace

TEST_CASE("Without settings a record is JSON with this machine's name") {
  CHECK(write({}, record("192.0.2.7", Value::int64(3), "err")).text ==
        "<13>1 2024-01-02T03:04:05.123456Z here streamd - - - "
        "{\"ip\":\"192.0.2.7\",\"n\":3,\"level\":\"err\"}");
}

TEST_CASE("Every part can come from the record") {
  const Fields fields = {{"message", scalar("{{ ip }} made {{ n }}")},
                         {"facility", scalar("local4")},
                         {"severity", scalar("{{ level }}")},
                         {"host", scalar("{{ ip }}")},
                         {"app", scalar("alerts")},
                         {"procid", scalar("{{ n }}")},
                         {"msgid", scalar("BLOCK")},
                         {"structured_data", map_of({{"a@1", list_of({"ip", "n"})}})}};
  CHECK(write(fields, record("192.0.2.7", Value::int64(3), "err")).text ==
        "<163>1 2024-01-02T03:04:05.123456Z 192.0.2.7 alerts 3 BLOCK "
        "[a@1 ip=\"192.0.2.7\" n=\"3\"] 192.0.2.7 made 3");
}

TEST_CASE("Numbers and other usual names are severities too") {
  for (const auto& [level, priority] : std::map<std::string, std::string>{
           {"0", "<8>"}, {"7", "<15>"}, {"error", "<11>"}, {"warn", "<12>"}, {"debug", "<15>"}})
    CHECK(write({{"severity", scalar("{{ level }}")}}, record("x", Value::int64(1), level))
              .text.starts_with(priority));
  for (const char* wrong : {"8", "-1", "loud", ""}) {
    const Written out =
        write({{"severity", scalar("{{ level }}")}}, record("x", Value::int64(1), wrong));
    CHECK(out.code == "severity");
    CHECK(out.reason.find(wrong) != std::string::npos);
  }
}

TEST_CASE("Header fields are printable and as long as they may be") {
  const std::string longer(300, 'h');
  const std::string text = write({{"host", scalar("{{ ip }}")}, {"app", scalar("{{ level }}")}},
                                 record("a b\n\xC3\xA4", Value::int64(1), longer))
                               .text;
  CHECK(text.find(" a?b??? ") != std::string::npos);
  CHECK(text.find(" " + std::string(48, 'h') + " ") != std::string::npos);
  CHECK(write({{"host", scalar("{{ ip }}")}}, record("", Value::int64(1), "x"))
            .text.find("Z - streamd") != std::string::npos);
}

TEST_CASE("Structured data is escaped and lacks what the record lacks") {
  const Fields fields = {{"message", scalar("x")},
                         {"structured_data", map_of({{"a@1", list_of({"ip", "n"})}})}};
  CHECK(write(fields, record("a\"b]c\\", Value::missing(), "x"))
            .text.ends_with("[a@1 ip=\"a\\\"b\\]c\\\\\"] x"));
  CHECK(write(fields, record("", Value::null(), "x")).text.ends_with("[a@1 ip=\"\"] x"));
}

TEST_CASE("The old format has local time and a tag") {
  const Fields fields = {{"format", scalar("rfc3164")},
                         {"message", scalar("text")},
                         {"app", scalar("tool")},
                         {"procid", scalar("7")},
                         {"zone", scalar("Europe/Zurich")}};
  CHECK(write(fields, record("x", Value::int64(1), "x")).text ==
        "<13>Jan  2 04:04:05 here tool[7]: text");
}

TEST_CASE("A null in the header is no value") {
  Fields fields = {{"message", scalar("{{ ip }}")},
                   {"host", scalar("{{ level }}")},
                   {"app", scalar("{{ level }}")},
                   {"procid", scalar("{{ n }}")},
                   {"msgid", scalar("{{ level }}")}};
  const Batch one = records({{Value::null(), Value::null(), Value::null()}});
  CHECK(write(fields, one).text == "<13>1 2024-01-02T03:04:05.123456Z - - - - - null");
  fields.back() = {"format", scalar("rfc3164")};
  fields[2].second = scalar("null");
  CHECK(write(fields, one).text == "<13>Jan  2 03:04:05 - null: null");
}

// syslog(3) sends none either: the daemon would take it for the tag.
TEST_CASE("To a daemon of this machine the old format has no host, unless one is asked for") {
  Fields fields = {{"format", scalar("rfc3164")}, {"message", scalar("text")}};
  const Batch one = record("web1", Value::int64(1), "x");
  CHECK(write(fields, one, "unix:/dev/log").text == "<13>Jan  2 03:04:05 streamd: text");
  fields.emplace_back("host", scalar("{{ ip }}"));
  CHECK(write(fields, one, "unix:/dev/log").text == "<13>Jan  2 03:04:05 web1 streamd: text");
  CHECK(write({{"message", scalar("text")}}, one, "unix:/dev/log")
            .text.ends_with("Z here streamd - - - text"));
}

TEST_CASE("Line ends become blanks where they would end the message") {
  const auto text = [](const char* address) {
    Diagnostics problems;
    const auto config = syslog_out::spec().parse(
        map_of({{"to", scalar(address)},
                {"framing", scalar("lf")},
                {"message", scalar("{{ ip }}")},
                {"structured_data", map_of({{"a@1", list_of({"level"})}})}}),
        problems);
    REQUIRE(config);
    const auto templates = syslog_out::Templates::parse(*config, problems);
    const auto writer =
        syslog_out::MessageWriter::bind(*config, templates, kSchema, {}, "here", problems);
    syslog_out::MessageWriter::Scratch scratch;
    std::string out;
    const std::string_view forged("\n<8>1 \0", 7);
    CHECK_FALSE(writer->write(record("a\r\nb", Value::int64(1), forged), 0, out, scratch));
    return out;
  };
  CHECK(text("tcp://h:1").ends_with(" [a@1 level=\" <8>1  \"] a  b"));
  CHECK(text("udp://h:1").ends_with(" [a@1 level=\"" + std::string("\n<8>1 \0", 7) + "\"] a\r\nb"));
}

TEST_CASE("A template without a value is a dead letter") {
  const Written out = write({{"message", scalar("{{ n }}")}}, record("x", Value::missing(), "x"));
  CHECK(out.code == "template");
  CHECK_FALSE(out.reason.empty());
}

TEST_CASE("Wrong settings of the sink are reported") {
  CHECK(problems_of({{"to", to()}}) == 0);
  CHECK(problems_of({}) == 1);
  CHECK(problems_of({{"to", scalar("udp://:514")}}) == 1);
  CHECK(problems_of({{"to", scalar("udp://h:0")}}) == 1);
  CHECK(problems_of({{"to", scalar("https://h:514")}}) == 1);
  CHECK(problems_of({{"to", to()}, {"severity", scalar("loud")}}) == 1);
  CHECK(problems_of({{"to", to()}, {"facility", scalar("24")}}) == 1);
  CHECK(problems_of({{"to", to()}, {"facility", scalar("loud")}, {"severity", scalar("8")}}) == 2);
  CHECK(problems_of({{"to", to()}, {"zone", scalar("Mars/Base")}}) == 1);
  CHECK(problems_of({{"to", to()}, {"timeout", scalar("0s")}, {"connect_timeout", scalar("0s")}}) ==
        2);
  CHECK(problems_of({{"to", to()}, {"message", scalar("{{ nothing }}")}}) == 1);
  CHECK(problems_of({{"to", to()}, {"tls", map_of({{"ca", scalar("ca.pem")}})}}) == 1);
  CHECK(problems_of({{"to", to()}, {"structured_data", map_of({{"a@1", list_of({"nothing"})}})}}) ==
        1);
  CHECK(problems_of({{"to", to()}, {"structured_data", map_of({{"a b", list_of({"ip"})}})}}) == 1);
  CHECK(problems_of({{"to", to()},
                     {"format", scalar("rfc3164")},
                     {"structured_data", map_of({{"a@1", list_of({"ip"})}})}}) == 1);
}

TEST_CASE("The syslog sink keeps the contract") {
  TempDir dir;
  const std::string address = "unix:" + dir.file("log");
  auto socket = net::listen_at(*net::parse_endpoint(address), {});
  REQUIRE(socket);
  Diagnostics problems;
  const auto made = plan(
      {{"to", scalar(address)}, {"message", scalar("{{ n }}")}, {"host", scalar("h")}}, problems);
  REQUIRE(made);
  made->bind(kSchema, problems);
  SystemClock clock;
  std::string seen;
  std::size_t due = 0;
  SinkUnderTest subject;
  subject.open = [&](const std::string& restored) {
    SinkContext context;
    context.node = "remote";
    context.pipeline = "test";
    context.state_dir = dir.path();
    context.clock = &clock;
    context.restored = restored;
    context.log = [](int, const std::string&) {};
    auto opened = made->open(std::move(context));
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  };
  subject.batch = [&](int n) {
    due += 2;
    return records({{Value::string("x"), Value::int64(n), Value::string("x")},
                    {Value::string("x"), Value::int64(n + 100), Value::string("x")}});
  };
  // What has come so far: messages go out when their epoch is committed, those of the last one of
  // the contract never.
  subject.far_side = [&] {
    const std::size_t committed = due == 6 ? 2 : due;
    std::size_t count = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), '\n'));
    char room[1024];
    while (count < committed) {
      REQUIRE(net::wait_for(*socket, false, Duration::from_seconds(20), {}));
      const ssize_t got = ::recv(socket->descriptor(), room, sizeof room, MSG_DONTWAIT);
      REQUIRE(got > 0);
      seen += std::string(room, static_cast<std::size_t>(got)) + "\n";
      ++count;
    }
    return seen;
  };
  check_sink(subject);
  CHECK(seen.find(" h streamd - - - 1\n") != std::string::npos);
  CHECK(seen.find(" h streamd - - - 101\n") != std::string::npos);
}
