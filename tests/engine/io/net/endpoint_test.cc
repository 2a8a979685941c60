// SPDX-License-Identifier: Apache-2.0
#include "engine/io/net/endpoint.h"

#include "tests/support/catch.h"

#include <string>

using namespace streamd;
using namespace streamd::net;

TEST_CASE("Addresses are read as they are written") {
  for (const char* text : {"udp://0.0.0.0:514", "tcp://[::]:601", "tls://logs.example.com:6514",
                           "unix:/run/streamd/log", "udp://[fe80::1%eth0]:514"}) {
    const auto parsed = parse_endpoint(text);
    REQUIRE(parsed);
    CHECK(parsed->text() == text);
  }
  const auto v6 = parse_endpoint("tcp://[2001:db8::1]:601");
  REQUIRE(v6);
  CHECK(v6->host == "2001:db8::1");
  CHECK(v6->port == 601);
  CHECK(v6->stream());
  CHECK(parse_endpoint("udp://*:514")->host.empty());
  CHECK(parse_endpoint("udp://:514")->host.empty());
  CHECK(parse_endpoint("unix:///run/log")->path == "/run/log");
  CHECK_FALSE(parse_endpoint("unix:/run/log")->stream());
}

TEST_CASE("What is no address is refused with what to write") {
  for (const std::string text : {"",           "514",           "0.0.0.0:514",   "http://h:1",
                                 "udp://",     "udp://h",       "udp://::1:514", "udp://[::1]",
                                 "udp://[]:1", "udp://h:",      "udp://h:x",     "udp://h:65536",
                                 "udp://h:-1", "udp://h:1 ",    "udp://h/x:1",   "udp://a b:1",
                                 "unix:",      "unix:relative", "tcp://h:1:2",   "UDP://h:1"}) {
    INFO(text);
    const auto parsed = parse_endpoint(text);
    REQUIRE_FALSE(parsed);
    CHECK_FALSE(parsed.error().message.empty());
    CHECK(parsed.error().hint.find("udp://0.0.0.0:514") != std::string::npos);
  }
  CHECK_FALSE(parse_endpoint("unix:/" + std::string(200, 'x')));
}

TEST_CASE("A wrong address is reported at its place, and never shows what came from a variable") {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = "udp://host";
  node.place.line = 7;
  Endpoint into;
  Diagnostics problems;
  CHECK_FALSE(FieldType<Endpoint>::read(node, into, problems));
  node.substituted = true;
  CHECK_FALSE(FieldType<Endpoint>::read(node, into, problems));
  node.shape = ConfigNode::Shape::map;
  CHECK_FALSE(FieldType<Endpoint>::read(node, into, problems));
  REQUIRE(problems.all().size() == 3);
  CHECK(problems.all()[0].place.line == 7);
  CHECK(problems.all()[0].message.find("udp://host") != std::string::npos);
  CHECK(problems.all()[1].message.find("udp://host") == std::string::npos);
}
