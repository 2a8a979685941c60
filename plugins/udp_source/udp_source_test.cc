// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using sd::test::equal;
using sd::test::expect;
using sd::test::SourceRun;

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

struct Socket {
  int number = socket(AF_INET, SOCK_DGRAM, 0);
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(number); }
};

// A port that nobody uses.
std::uint16_t free_port() {
  const Socket probe;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(probe.number, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(probe.number, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void send(std::uint16_t port, const std::string& bytes) {
  const Socket from;
  const sockaddr_in to = loopback(port);
  const auto sent = sendto(from.number, bytes.data(), bytes.size(), 0,
                           reinterpret_cast<const sockaddr*>(&to), sizeof to);
  expect(sent == static_cast<ssize_t>(bytes.size()), "the datagram was not sent");
}

SourceRun source(std::uint16_t port, sd::test::Settings more = {}, std::string position = {}) {
  more.insert({{"listen", "127.0.0.1"}, {"port", std::to_string(port)}});
  return {streamd_plugin(), "udp", std::move(more), std::move(position)};
}

void pull_until(SourceRun& run, std::size_t count) {
  for (int tries = 0; run.records.size() < count && tries < 200; ++tries) run.pull(100, 50ms);
  equal(run.records.size(), count);
}

void datagrams_become_records_in_order() {
  const auto port = free_port();
  auto run = source(port);
  for (int i = 0; i < 100; ++i) send(port, "line " + std::to_string(i));
  send(port, "");
  pull_until(run, 101);
  for (std::size_t i = 0; i < 100; ++i) {
    equal(run.records[i].bytes, "line " + std::to_string(i));
    equal(run.records[i].position, i);
  }
  equal(run.records[100].bytes, "");
  equal(run.records[0].arrival, run.clock.time_since_epoch().count());
}

void nothing_there_is_idle() {
  auto run = source(free_port());
  expect(run.pull(10, 0ms) == sd::Pulled::idle);
  equal(run.records.size(), 0u);
}

void no_more_than_was_asked_for() {
  const auto port = free_port();
  auto run = source(port);
  for (int i = 0; i < 10; ++i) send(port, "x");
  expect(run.pull(3, 1s) == sd::Pulled::more);
  expect(run.records.size() <= 3, "too many");
  pull_until(run, 10);
}

void counting_goes_on_after_a_restart() {
  const auto port = free_port();
  auto run = source(port);
  send(port, "a");
  send(port, "b");
  pull_until(run, 2);
  run.checkpoint();
  equal(run.position(), "2");
  run.crash();
  send(port, "c");
  pull_until(run, 3);
  equal(run.records[2].position, 2u);
}

void long_datagrams_are_cut_and_told() {
  const auto port = free_port();
  auto run = source(port, {{"max_size", "4"}});
  send(port, "abcdefgh");
  pull_until(run, 1);
  equal(run.records[0].bytes, "abcd");
  equal(run.logged.size(), 1u);
  expect(run.logged[0].find("cut off") != std::string::npos);
}

void what_the_kernel_drops_is_told() {
  const auto port = free_port();
  auto run = source(port, {{"receive_buffer", "4KiB"}});
  for (int i = 0; i < 2000; ++i) send(port, std::string(1000, 'x'));
  for (int i = 0; i < 100 && run.pull(100, 0ms) == sd::Pulled::more;) ++i;
  expect(run.records.size() < 2000, "nothing was dropped");
  // The count comes with the next datagram that finds room.
  run.clock += 11s;
  send(port, "after");
  run.pull(100, 1s);
  expect(!run.logged.empty() && run.logged[0].find("were lost") != std::string::npos);
}

void a_port_in_use_is_tried_again() {
  const auto port = free_port();
  auto first = source(port);
  sd::test::throws<sd::Retry>([&] { source(port); }, "cannot listen");
}

void what_is_no_address_is_told() {
  sd::test::throws<sd::Failed>([] { source(5140, {{"listen", "here"}}); }, "is no address");
}

}  // namespace

int main() {
  return sd::test::run({
      {"datagrams become records, in order", datagrams_become_records_in_order},
      {"nothing there is idle", nothing_there_is_idle},
      {"no more than was asked for", no_more_than_was_asked_for},
      {"counting goes on after a restart", counting_goes_on_after_a_restart},
      {"long datagrams are cut, and told", long_datagrams_are_cut_and_told},
      {"what the kernel drops is told", what_the_kernel_drops_is_told},
      {"a port in use is tried again", a_port_in_use_is_tried_again},
      {"what is no address is told", what_is_no_address_is_told},
  });
}
