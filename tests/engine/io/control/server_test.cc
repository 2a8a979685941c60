// SPDX-License-Identifier: Apache-2.0
#include "engine/io/control/server.h"

#include "engine/core/folder.h"
#include "engine/io/control/client.h"
#include "engine/io/control/unix_stream.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

#include <atomic>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

using namespace streamd;
using namespace streamd::control;
using namespace streamd::test;

namespace {

// Says "line" as often as it is let, or until `most`.
class Talker final : public Session {
 public:
  Talker(std::size_t most, std::atomic<std::size_t>& said, std::atomic<int>& alive)
      : most_(most), said_(said), alive_(alive) {
    ++alive_;
  }
  ~Talker() override { --alive_; }
  void work(Answer& answer) override {
    for (int i = 0; i < 100 && said_ < most_; ++i, ++said_) answer.out("line");
    if (said_ == most_) answer.finish(0);
  }
  void end(Answer& answer) override {
    answer.err("the end");
    answer.finish(0);
  }

 private:
  const std::size_t most_;
  std::atomic<std::size_t>& said_;
  std::atomic<int>& alive_;
};

struct Case {
  TempDir dir;
  SystemClock clock;
  std::string path = dir / "CONTROL";
  std::atomic<std::size_t> said{0};
  std::atomic<int> alive{0};
  std::unique_ptr<Server> server;

  void open(ServerLimits limits = {}, std::size_t most = SIZE_MAX) {
    const auto handler = [this, most](const Request& request,
                                      Answer& answer) -> std::unique_ptr<Session> {
      if (request.verb == "talk") return std::make_unique<Talker>(most, said, alive);
      answer.out("you said " + request.verb);
      answer.finish(request.verb == "bad" ? 1 : 0);
      return nullptr;
    };
    auto opened = Server::open(path, handler, clock, limits);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    server = std::move(*opened);
  }
  Result<int> ask(const std::string& verb, std::vector<std::string>& lines) const {
    return control::ask(path, {verb, {}}, [&lines](const AnswerLines::Line& line) {
      lines.push_back(line.text);
      return true;
    });
  }
};

// Waits for what another thread does, with a deadline.
template <class Condition>
bool becomes(Condition condition) {
  for (int i = 0; i < 60'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("a question gets its answer and exit code", "[control]") {
  Case c;
  c.open();
  std::vector<std::string> lines;
  CHECK(c.ask("hello", lines) == 0);
  CHECK(c.ask("bad", lines) == 1);
  CHECK(lines == std::vector<std::string>{"you said hello", "you said bad"});
}

TEST_CASE("a long answer arrives whole", "[control]") {
  Case c;
  c.open({}, 50'000);
  std::vector<std::string> lines;
  CHECK(c.ask("talk", lines) == 0);
  CHECK(lines.size() == 50'000);
}

TEST_CASE("nobody but this user may ask, and the socket is gone at the end", "[control]") {
  Case c;
  c.open();
  struct stat about {};
  REQUIRE(::stat(c.path.c_str(), &about) == 0);
  CHECK(S_ISSOCK(about.st_mode));
  CHECK((about.st_mode & 0777) == 0600);
  c.server.reset();
  CHECK_FALSE(std::filesystem::exists(c.path));
  std::vector<std::string> lines;
  const auto nobody = c.ask("hello", lines);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().retry == Retry::backoff);
}

TEST_CASE("a socket that a killed process left is replaced", "[control]") {
  Case c;
  { const auto left = listen_in_file(c.path); }  // closed, not removed
  REQUIRE(std::filesystem::exists(c.path));
  std::vector<std::string> lines;
  const auto nobody = c.ask("hello", lines);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().retry == Retry::backoff);
  c.open();
  CHECK(c.ask("hello", lines) == 0);
}

TEST_CASE("the folder's name may be longer than a socket's address", "[control]") {
  Case c;
  const std::string deep = c.dir / (std::string(120, 'x') + "/" + std::string(120, 'y'));
  REQUIRE_FALSE(make_folders(deep));
  c.path = deep + "/CONTROL";
  c.open();
  std::vector<std::string> lines;
  CHECK(c.ask("hello", lines) == 0);
  c.server.reset();
  CHECK_FALSE(std::filesystem::exists(c.path));
}

TEST_CASE("a folder that is not there is an error that names it", "[control]") {
  const SystemClock clock;
  const auto opened = Server::open("/nowhere/at/all/CONTROL", {}, clock);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("/nowhere/at/all/CONTROL") != std::string::npos);
}

TEST_CASE("a client that does not read gets no more lines, and others are answered", "[control]") {
  Case c;
  c.open({.unread_bytes = 4096});
  const auto silent = connect_to_file(c.path);
  REQUIRE(silent);
  const std::string request = encode({"talk", {}});
  REQUIRE(::send(silent->descriptor(), request.data(), request.size(), 0) > 0);
  // The socket's own buffer fills, then its answer; then it is asked no more.
  std::size_t before = 1;
  REQUIRE(becomes([&] {
    std::vector<std::string> lines;
    REQUIRE(c.ask("hello", lines) == 0);
    return c.said > 0 && std::exchange(before, c.said.load()) == c.said;
  }));
  const std::size_t stuck = c.said;
  std::vector<std::string> lines;
  for (int i = 0; i < 5; ++i) CHECK(c.ask("hello", lines) == 0);
  CHECK(c.said == stuck);
  // And the end does not wait for it.
  c.server.reset();
  CHECK(c.alive == 0);
}

TEST_CASE("who went away is forgotten", "[control]") {
  Case c;
  c.open();
  {
    const auto client = connect_to_file(c.path);
    REQUIRE(client);
    const std::string request = encode({"talk", {}});
    REQUIRE(::send(client->descriptor(), request.data(), request.size(), 0) > 0);
    REQUIRE(becomes([&] { return c.alive == 1; }));
  }
  CHECK(becomes([&] { return c.alive == 0; }));
}

TEST_CASE("who asks for nothing in time is sent away", "[control]") {
  Case c;
  c.open({.request_within = Duration::from_millis(1)});
  const auto client = connect_to_file(c.path);
  REQUIRE(client);
  char byte = 0;
  CHECK(::recv(client->descriptor(), &byte, 1, 0) == 0);
}

TEST_CASE("more clients than are answered at a time are told so", "[control]") {
  Case c;
  c.open({.clients = 2});
  const auto one = connect_to_file(c.path), two = connect_to_file(c.path);
  std::vector<std::string> lines;
  CHECK(c.ask("hello", lines) == 1);
  CHECK(lines == std::vector<std::string>{"error: 2 clients are being answered already"});
}

TEST_CASE("nonsense is refused", "[control]") {
  Case c;
  c.open();
  const auto client = connect_to_file(c.path);
  REQUIRE(client);
  REQUIRE(::send(client->descriptor(), "GET / HTTP/1.0\r\n\r\n", 18, 0) == 18);
  std::string said;
  char block[512];
  for (ssize_t n = 0; (n = ::recv(client->descriptor(), block, sizeof block, 0)) > 0;)
    said.append(block, static_cast<std::size_t>(n));
  CHECK(said.starts_with("eerror: this is no request"));
  CHECK(said.ends_with("x2\n"));
}

TEST_CASE("the end of the process is told to whoever listens", "[control]") {
  Case c;
  c.open();
  std::vector<std::string> lines;
  Result<int> code = 7;
  std::jthread listener([&] { code = c.ask("talk", lines); });
  REQUIRE(becomes([&] { return c.said > 1000; }));
  c.server.reset();
  listener.join();
  CHECK(code == 0);
  CHECK(lines.back() == "the end");
}

TEST_CASE("a process that is killed leaves an error that says so", "[control]") {
  Case c;
  const auto listener = listen_in_file(c.path);
  REQUIRE(listener);
  std::jthread killed([&] {
    int descriptor = -1;
    while ((descriptor = ::accept(listener->descriptor(), nullptr, nullptr)) < 0)
      std::this_thread::yield();
    const net::Socket half(descriptor);
    (void)::send(half.descriptor(), "oone\notw", 8, 0);
  });
  std::vector<std::string> lines;
  const auto code = c.ask("hello", lines);
  REQUIRE_FALSE(code);
  CHECK(code.error().retry == Retry::never);
  CHECK(code.error().message == "the process went away without a last word");
  CHECK(lines == std::vector<std::string>{"one"});
}

TEST_CASE("who waits for a process that says nothing gives up", "[control]") {
  Case c;
  const auto listener = listen_in_file(c.path);
  REQUIRE(listener);
  const auto code = control::ask(
      c.path, {"hello", {}}, [](const auto&) { return true; }, Duration::from_millis(20));
  REQUIRE_FALSE(code);
  CHECK(code.error().message == "the process does not answer");
}
