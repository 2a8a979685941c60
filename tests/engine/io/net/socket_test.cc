// SPDX-License-Identifier: Apache-2.0
#include "engine/io/net/socket.h"

#include "tests/support/catch.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <string>
#include <unistd.h>

using namespace streamd;
using namespace streamd::net;

namespace {

Endpoint at(const std::string& text) { return *parse_endpoint(text); }

sockaddr_storage address(int family, const char* text) {
  sockaddr_storage out{};
  out.ss_family = static_cast<sa_family_t>(family);
  void* const to = family == AF_INET
                       ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(out).sin_addr)
                       : static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(out).sin6_addr);
  REQUIRE(::inet_pton(family, text, to) == 1);
  return out;
}

std::string shown(const sockaddr_storage& from) {
  char text[kAddressBytes];
  return {text, print_address(from, text)};
}

struct Folder {
  std::string path = "/tmp/streamd-net-XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() {
    ::unlink((path + "/log").c_str());
    ::rmdir(path.c_str());
  }
};

}  // namespace

TEST_CASE("Addresses of senders are printed and compared") {
  for (const char* text : {"0.0.0.0", "9.10.99.100", "255.255.255.255", "192.0.2.1"})
    CHECK(shown(address(AF_INET, text)) == text);
  CHECK(shown(address(AF_INET6, "2001:db8::1")) == "2001:db8::1");
  CHECK(shown(address(AF_INET6, "::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(shown(sockaddr_storage{}).empty());
  char a[16], b[16];
  address_bytes(address(AF_INET6, "::ffff:192.0.2.1"), a);
  address_bytes(address(AF_INET, "192.0.2.1"), b);
  CHECK(std::memcmp(a, b, 16) == 0);
  address_bytes(address(AF_INET, "192.0.2.2"), b);
  CHECK(std::memcmp(a, b, 16) != 0);
}

TEST_CASE("Several sockets share an address only when told to") {
  Endpoint udp = at("udp://127.0.0.1:0");
  auto first = listen_at(udp, {true, 0});
  REQUIRE(first);
  udp.port = port_of(*first);
  CHECK(udp.port != 0);
  CHECK(listen_at(udp, {true, 0}));
  const auto alone = listen_at(udp, {});
  REQUIRE_FALSE(alone);
  CHECK(alone.error().hint.find("another process") != std::string::npos);
}

TEST_CASE("What the kernel throws away is counted, also when nothing follows") {
  Endpoint udp = at("udp://127.0.0.1:0");
  auto socket = listen_at(udp, {false, 1});
  REQUIRE(socket);
  udp.port = port_of(*socket);
  auto sender = connect_to(udp, Duration::from_seconds(5), {});
  REQUIRE(sender);
  const std::string text(300, 'x');
  for (int i = 0; i < 1000; ++i)
    REQUIRE(::send(sender->descriptor(), text.data(), text.size(), 0) == 300);
  int received = 0;
  char room[400];
  while (::recv(socket->descriptor(), room, sizeof room, MSG_DONTWAIT) > 0) ++received;
  CHECK(received < 1000);
  CHECK(static_cast<int>(dropped_by_kernel(*socket)) + received == 1000);
}

TEST_CASE("A unix socket that was left behind is replaced, one in use is not") {
  const Folder folder;
  const Endpoint local = at("unix:" + folder.path + "/log");
  auto first = listen_at(local, {});
  REQUIRE(first);
  const auto second = listen_at(local, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().hint == "another process receives there: stop it or use another path");
  CHECK(connect_to(local, Duration::from_seconds(5), {}));
  first->close();
  CHECK_FALSE(connect_to(local, Duration::from_seconds(5), {}));
  CHECK(listen_at(local, {}));
  ::unlink(local.path.c_str());
  std::ofstream(local.path) << "somebody's file";
  const auto over_it = listen_at(local, {});
  REQUIRE_FALSE(over_it);
  CHECK(over_it.error().hint.find("which is no socket") != std::string::npos);
  const auto nowhere = listen_at(at("unix:" + folder.path + "/missing/log"), {});
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().hint.find("make its folder") != std::string::npos);
  CHECK(::access(local.path.c_str(), F_OK) == 0);
}

TEST_CASE("A connection that nobody takes is an error that time may heal") {
  Endpoint tcp = at("tcp://127.0.0.1:0");
  {
    auto listener = listen_at(tcp, {});
    REQUIRE(listener);
    tcp.port = port_of(*listener);
    CHECK(connect_to(tcp, Duration::from_seconds(5), {}));
  }
  const auto refused = connect_to(tcp, Duration::from_seconds(5), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry == Retry::backoff);
  CHECK(refused.error().message.find(tcp.text()) != std::string::npos);
}

// Whatever the machine's preferred address of this name is, nobody listens at another one.
TEST_CASE("A name is tried at each of its addresses") {
  Endpoint here = at("tcp://127.0.0.1:0");
  const auto listener = listen_at(here, {});
  REQUIRE(listener);
  here.host = "localhost";
  here.port = port_of(*listener);
  CHECK(connect_to(here, Duration::from_seconds(5), {}));
}

TEST_CASE("An address that this machine does not have is told with what to do") {
  const auto nowhere = listen_at(at("udp://192.0.2.1:0"), {});
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().hint.find("no such address") != std::string::npos);
}
