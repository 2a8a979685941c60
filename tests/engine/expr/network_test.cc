// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/expr/expr_support.h"
#include "tests/support/catch.h"

using namespace streamd;
using namespace streamd::expr_test;

TEST_CASE("addresses and networks follow the network extension") {
  const std::vector<Case> cases = {
      {"ip('192.168.0.1').family()", "int 4"},
      {"ip('::1').family()", "int 6"},
      {"string(ip('2001:DB8:0:0:0:0:0:1'))", "string 2001:db8::1"},
      {"ip('::ffff:c000:201') == ip('192.0.2.1')", "bool true"},
      {"isIP('::ffff:192.0.2.1')", "bool false"},
      {"isIP('fe80::1%eth0')", "bool false"},
      {"isIP('01.2.3.4')", "bool false"},
      {"isIP('1.2.3')", "bool false"},
      {"isIP('1:2:3:4:5:6:7:8')", "bool true"},
      {"isIP('1:2:3:4:5:6:7:8:9')", "bool false"},
      {"isIP('1::2::3')", "bool false"},
      {"isIP(':1')", "bool false"},
      {"isIP('::')", "bool true"},
      {"ip.isCanonical('2001:db8::1')", "bool true"},
      {"ip.isCanonical('2001:DB8::1')", "bool false"},
      {"ip('127.0.0.1').isLoopback()", "bool true"},
      {"ip('0.0.0.0').isUnspecified()", "bool true"},
      {"ip('10.1.1.1').isGlobalUnicast()", "bool true"},
      {"ip('169.254.1.1').isLinkLocalUnicast()", "bool true"},
      {"ip('224.0.0.1').isLinkLocalMulticast()", "bool true"},
      {"ip('172.16.0.1').isPrivate()", "bool true"},
      {"ip('172.32.0.1').isPrivate()", "bool false"},
      {"ip('fd00::1').isPrivate()", "bool true"},
      {"cidr('10.0.0.0/8').containsIP('10.1.2.3')", "bool true"},
      {"cidr('10.0.0.0/8').contains(ip('11.1.2.3'))", "bool false"},
      {"cidr('::/0').containsIP('10.1.2.3')", "bool false"},
      {"cidr('0.0.0.0/0').contains('10.1.2.3')", "bool true"},
      {"cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "bool true"},
      {"cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))", "bool false"},
      {"cidr('10.1.2.3/12').masked() == cidr('10.0.0.0/12')", "bool true"},
      {"cidr('10.1.2.3/12').prefixLength()", "int 12"},
      {"string(cidr('10.1.2.3/12').ip())", "string 10.1.2.3"},
      {"string(network('203.0.113.77', 24, 48))", "string 203.0.113.0/24"},
      {"string(network(ip('203.0.113.77'), 30, 48))", "string 203.0.113.76/30"},
      {"string(network('2001:db8:1:2::3', 24, 48))", "string 2001:db8:1::/48"},
      {"string(network('203.0.113.77', 0, 0))", "string 0.0.0.0/0"},
      {"string(network('::ffff:203.0.113.77', 24, 48))", "string 203.0.113.0/24"},
      {"string(network('::FFFF:203.0.113.77', 24, 48))", "string 203.0.113.0/24"},
      {"string(network('::ffff:cb00:714d', 24, 48))", "string 203.0.113.0/24"},
      {"network('::ffff:203.0.113', 24, 48)", "refused: \"::ffff:203.0.113\" is no IP address"},
      {"network('203.0.113.77', 33, 48)", "refused: 33 is no prefix length of an IPv4 network"},
      {"network('2001:db8::1', 24, -1)", "refused: -1 is no prefix length of an IPv6 network"},
      {"network('nope', 24, 48)", "refused: \"nope\" is no IP address"},
      {"networkName('203.0.113.77', 24, 48)", "string 203.0.113.0/24"},
      {"networkName('203.0.113.77', 0, 48)", "string 0.0.0.0/0"},
      {"networkName('203.0.113.77', 1, 48)", "string 128.0.0.0/1"},
      {"networkName('255.255.255.255', 31, 48)", "string 255.255.255.254/31"},
      {"networkName('255.255.255.255', 32, 48)", "string 255.255.255.255/32"},
      {"networkName('9.10.99.100', 32, 48)", "string 9.10.99.100/32"},
      {"networkName('203.0.113.077', 24, 48)", "string 203.0.113.077"},
      {"networkName(ip('203.0.113.77'), 30, 48)", "string 203.0.113.76/30"},
      {"networkName('2001:db8:1:2::3', 24, 48)", "string 2001:db8:1::/48"},
      {"networkName('::ffff:203.0.113.77', 24, 48)", "string 203.0.113.0/24"},
      {"networkName('crawler.example', 24, 48)", "string crawler.example"},
      {"networkName('', 24, 48)", "string "},
      {"networkName('203.0.113.77', 33, 48)", "refused: 33 is no prefix length of an IPv4 network"},
      {"networkName('203.0.113.77', -1, 48)", "refused: -1 is no prefix length of an IPv4 network"},
      {"networkName(1, 24, 48)", "refused: no overload: networkName(int, int, int)"},
      {"isCIDR('10.0.0.0/33')", "bool false"},
      {"isCIDR('10.0.0.0')", "bool false"},
      {"cidr('10.0.0.0/08')", "refused: \"10.0.0.0/08\" is no network such as 10.0.0.0/8"},
      {"ip('nope')", "refused: \"nope\" is no IP address"},
      {"cidr('10.0.0.0/8').contains('nope')", "refused: \"nope\" is no IP address"}};
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(evaluated(c.text) == c.result);
  }
}
