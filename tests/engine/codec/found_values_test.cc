// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/found_values.h"

#include "engine/codec/found_scan.h"
#include "engine/codec/top_level_domains.h"
#include "tests/support/catch.h"

#include <random>

using namespace streamd;

namespace {

constexpr unsigned kAll = (1u << kFoundKinds) - 1;
constexpr const char* kNames[] = {"ip", "cidr", "url", "domain", "email", "hash"};

// "ip 1.2.3.4, domain a.example"
std::string found(std::string_view text, unsigned kinds = kAll, std::size_t max = 100) {
  Arena arena;
  std::vector<FoundValue> values;
  ValueFinder(kinds, max).find(text, arena, values);
  std::string out;
  for (const FoundValue& value : values)
    out += (out.empty() ? "" : ", ") + std::string(kNames[static_cast<std::size_t>(value.kind)]) +
           " " + std::string(value.text);
  return out;
}

}  // namespace

TEST_CASE("Addresses are found wherever they stand in text") {
  CHECK(found("10.0.0.1") == "ip 10.0.0.1");
  CHECK(found("Failed password for root from 203.0.113.7 port 22 ssh2") == "ip 203.0.113.7");
  CHECK(found("src=1.2.3.4,dst=5.6.7.8:443;via(9.9.9.9)") == "ip 1.2.3.4, ip 5.6.7.8, ip 9.9.9.9");
  CHECK(found("[1.2.3.4] \"1.2.3.5\" <1.2.3.6> ip:1.2.3.7.") ==
        "ip 1.2.3.4, ip 1.2.3.5, ip 1.2.3.6, ip 1.2.3.7");
  CHECK(found("\xE2\x80\x9C"
              "1.2.3.4\xE2\x80\x9D") == "ip 1.2.3.4");
  CHECK(found("at 2001:db8::1, fe80::1%eth0 and [::1]:80 or ::ffff:1.2.3.4") ==
        "ip 2001:db8::1, ip fe80::1, ip ::1, ip 1.2.3.4");
  CHECK(found("2001:0DB8:0:0:0:0:0:0001") == "ip 2001:db8::1");
}

TEST_CASE("Addresses are found where a dash or an underscore joins them") {
  CHECK(found("drop 192.0.2.1->198.51.100.2 1.2.3.4-1.2.3.9") ==
        "ip 192.0.2.1, ip 198.51.100.2, ip 1.2.3.4, ip 1.2.3.9");
  CHECK(found("1.2.3.4- 1.2.3.5_ --1.2.3.6-- x") == "ip 1.2.3.4, ip 1.2.3.5, ip 1.2.3.6");
  CHECK(found("1.2.3.4-1 1.2.3.4-beta 1.2.3.4-1.2.3 openssl-1.2.3.4 1.2.3.4-256.1.1.1") == "");
  CHECK(found("1.2.3.4-5.static.example.com") == "domain 1.2.3.4-5.static.example.com");
  CHECK(found("1.2.3.4-1.2.3.9", found_bit(FoundKind::domain)) == "");
}

TEST_CASE("What firewalls write behind a slash is no version") {
  CHECK(found("permitted tcp outside/198.51.100.66(1234) -> inside/10.0.0.1(80)") ==
        "ip 198.51.100.66, ip 10.0.0.1");
  CHECK(found("Chrome/120.0.0.0 (X11) Edge/1.2.3.4(beta)") == "");
}

TEST_CASE("Numbers with dots and colons that are no address are left alone") {
  for (const char* text : {"1.2.3",
                           "1.2.3.4.5",
                           "256.1.1.1",
                           "01.2.3.4",
                           "v1.2.3.4",
                           "12:30:45",
                           "12:30:45.123",
                           "2026-11-21T18:30:00.123Z",
                           "00:1a:2b:3c:4d:5e",
                           "std::string a::b x::y::z",
                           "::",
                           "a:b:c",
                           "Chrome/120.0.0.0",
                           "3.14 and 2.71",
                           "...",
                           "1..2",
                           ".5",
                           "a.",
                           "1.2.3.4x",
                           "1:2:3:4:5:6:7",
                           "e.g. this, i.e. that",
                           "http://",
                           "a[.]",
                           "[.]b",
                           "foo(a, b)",
                           "{\"a\":1,\"b\":[1,2.5]}"}) {
    INFO(text);
    CHECK(found(text) == "");
  }
}

TEST_CASE("Networks are found with their host bits cleared") {
  CHECK(found("10.1.2.3/8 and 2001:db8:1::/32.") == "cidr 10.0.0.0/8, cidr 2001:db8::/32");
  CHECK(found("1.2.3.4/33 1.2.3.4/x 1.2.3.4/24x 0.0.0.0/0") == "ip 1.2.3.4, cidr 0.0.0.0/0");
  CHECK(found("10.0.0.0/8", found_bit(FoundKind::ip)) == "ip 10.0.0.0");
  CHECK(found("10.0.0.0[/]8") == "cidr 10.0.0.0/8");
}

TEST_CASE("Domains need a plausible end and a place where domains stand") {
  CHECK(found("see example.com, www.Evil.CO.UK. and xn--mnchen-3ya.de!") ==
        "domain example.com, domain www.evil.co.uk, domain xn--mnchen-3ya.de");
  CHECK(found("host=a-1.b.internal other") == "domain a-1.b.internal");
  CHECK(found("\xE8\xAE\xBF\xE9\x97\xAE"
              "evil.com\xE4\xB8\x8B") == "domain evil.com");
  for (const char* text :
       {"file.txt", "/var/log/a.com", "C:\\x\\run.com", "run.sh", "main.rs", "os.system(", "a.b",
        "-a.com", "a-.com", "end.It begins", "m\xC3\xBCnchen.de", "x.m\xC3\xBC", "under_score.com",
        "$obj.name", "Node.js", "1.com.", "a..com", "foo.bar@x"}) {
    INFO(text);
    const bool taken = std::string(text) == "1.com.";
    CHECK(found(text) == (taken ? "domain 1.com" : ""));
  }
  CHECK(found(std::string(250, 'a') + ".com") == "");
  CHECK(found("a_b.example.com") == "domain a_b.example.com");
}

TEST_CASE("URLs end where the text goes on") {
  CHECK(found("go to http://Evil.example/A?b=c#d, now") ==
        "url http://evil.example/A?b=c#d, domain evil.example");
  CHECK(found("(https://en.example.org/wiki/X_(y)) \"ftp://1.2.3.4:21/f\"") ==
        "url https://en.example.org/wiki/X_(y), domain en.example.org, url ftp://1.2.3.4:21/f, "
        "ip 1.2.3.4");
  CHECK(found("http://localhost:8080/x http://[2001:db8::1]/y") ==
        "url http://localhost:8080/x, url http://[2001:db8::1]/y, ip 2001:db8::1");
  CHECK(found("http://u:Pw@H.example/") == "url http://u:Pw@h.example/, domain h.example");
  CHECK(found("http://[2001:DB8:0:0:0:0:0:1]/ http://a.example.:80/") ==
        "url http://[2001:db8:0:0:0:0:0:1]/, ip 2001:db8::1, url http://a.example.:80/, "
        "domain a.example");
  CHECK(found("http://a.example/x)])}. (see http://b.example/(c)))") ==
        "url http://a.example/x, domain a.example, url http://b.example/(c), domain b.example");
  CHECK(found("http:/// http://. http://)") == "");
  CHECK(found("HTTPS://a.example.") == "url https://a.example, domain a.example");
  CHECK(found("<a href='http://a.example/x'>") == "url http://a.example/x, domain a.example");
  CHECK(found("foo://a.example xhttp://b.example", found_bit(FoundKind::url)) == "");
  CHECK(found("http://a.example/x/b.example c.example", found_bit(FoundKind::domain)) ==
        "domain a.example, domain c.example");
}

TEST_CASE("E-mail addresses are found with dots and signs before the at") {
  CHECK(found("Mail <John.Doe+x@Mail.Example> or a@b.example.") ==
        "email John.Doe+x@mail.example, email a@b.example");
  CHECK(found("a@b @c.example d@ e@localhost") == "domain c.example");
  CHECK(found("john@evil.com", kAll & ~found_bit(FoundKind::email)) == "domain evil.com");
  CHECK(found(std::string(65, 'a') + "@evil.com") == "domain evil.com");
}

TEST_CASE("Hashes are found by their length") {
  const std::string md5 = "d41d8cd98f00b204e9800998ecf8427e";
  const std::string sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
  const std::string sha256 = md5 + md5, sha512 = sha256 + sha256;
  for (const std::string& hash : {md5, sha1, sha256, sha512}) {
    for (std::size_t before = 0; before < 20; ++before) {
      INFO(hash << " behind " << before);
      CHECK(found(std::string(before, ' ') + hash + " x") == "hash " + hash);
    }
    CHECK(found("x" + hash) == "");
    CHECK(found(hash + "_") == "");
    CHECK(found(hash + "0") == "");
  }
  CHECK(found("D41D8CD98F00B204E9800998ECF8427E") == "hash " + md5);
  CHECK(found(std::string(32, '1')) == "");
  CHECK(found(std::string(32, 'a')) == "");
  CHECK(found("md5:" + md5 + ".evil.com") == "hash " + md5 + ", domain " + md5 + ".evil.com");
}

TEST_CASE("What was written so that nobody clicks on it is found in its normal form") {
  CHECK(found("1[.]2[.]3[.]4 1.2.3[.]4 1(.)2(.)3(.)4 1{.}2{.}3{.}4") == "ip 1.2.3.4");
  CHECK(found("evil[.]example evil(dot)com evil[DOT]net www.evil{dot}org") ==
        "domain evil.example, domain evil.com, domain evil.net, domain www.evil.org");
  CHECK(found("hxxp://evil[.]example/a.b hXXps://EVIL[.]com:443") ==
        "url http://evil.example/a.b, domain evil.example, url https://evil.com:443, "
        "domain evil.com");
  CHECK(found("hxxps[:]//a[.]example[/]x http[://]b.example") ==
        "url https://a.example/x, domain a.example, url http://b.example, domain b.example");
  CHECK(found("joe[at]evil[.]com j.d(at)evil(dot)com joe[@]x.example") ==
        "email joe@evil.com, email j.d@evil.com, email joe@x.example");
  CHECK(found("2001[:]db8[:][:]1") == "ip 2001:db8::1");
  CHECK(found("something[.]unknown x[.]1") == "domain something.unknown");
}

TEST_CASE("Each value is told once, and not more than asked for") {
  CHECK(found("1.2.3.4 1.2.3.4 1[.]2[.]3[.]4") == "ip 1.2.3.4");
  std::string many;
  for (int i = 0; i < 200; ++i) many += "10.0.0." + std::to_string(i) + " ";
  CHECK(found(many, kAll, 3) == "ip 10.0.0.0, ip 10.0.0.1, ip 10.0.0.2");
  CHECK(found("1.2.3.4 a.example d@e.example", found_bit(FoundKind::domain)) ==
        "domain a.example, domain e.example");
}

TEST_CASE("Values across the blocks of the pass are found") {
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string blanks(before, ' ');
    INFO(before);
    CHECK(found(blanks + "10.20.30.40") == "ip 10.20.30.40");
    CHECK(found(blanks + "2001:db8::1") == "ip 2001:db8::1");
    CHECK(found(blanks + "evil[.]example") == "domain evil.example");
    CHECK(found(blanks + "http://h/") == "url http://h/");
  }
}

TEST_CASE("Both ways to look at a block agree") {
  std::mt19937 dice(7);
  const std::string_view liked = ".:[({ ,-/@09afAFgz\"\x80\xFF";
  for (int round = 0; round < 20'000; ++round) {
    char bytes[kScanBlock + 1];
    for (char& c : bytes)
      c = round % 3 == 0   ? static_cast<char>(dice())
          : round % 3 == 1 ? liked[dice() % liked.size()]
                           : "0123456789abcdefABCDEF"[dice() % 22];
    const ScanBlock a = scan_block(bytes), b = scan_block_plain(bytes);
    REQUIRE(a.marks == b.marks);
    REQUIRE(a.hex == b.hex);
  }
}

TEST_CASE("Hostile texts cost time in proportion to their length") {
  for (const char* piece :
       {"a.", "1:", "::", "[.]", "a[.]", "a@", "a.a@", "://", "http://", "(at)", "1.2.3.4/", "0",
        "-.", "[:]", "%.", "a(dot)", "1.2.3.4-", "http:///", "x/1.2.3.4("}) {
    std::string text;
    while (text.size() < std::size_t{1} << 18) text += piece;
    INFO(piece);
    CHECK(found(text, kAll, 1000).size() < text.size());
  }
  CHECK(found(std::string(1 << 20, '\0')) == "");
  std::string brackets;
  while (brackets.size() < std::size_t{1} << 20)
    brackets += "http://a" + std::string(8190, ')') + " ";
  CHECK(found(brackets) == "url http://a");
}

TEST_CASE("Top-level domains are those of countries, generic ones and the special ones") {
  for (const char* good : {"com", "de", "uk", "xyz", "museum", "onion", "example", "xn--p1ai"})
    CHECK(is_top_level_domain(good));
  for (const char* bad : {"", "a", "zz", "txt", "jpg", "exe", "c0m", "COM", "xn--", "localhost"})
    CHECK_FALSE(is_top_level_domain(bad));
  CHECK(looks_like_file_ending("sh"));
  CHECK_FALSE(looks_like_file_ending("com"));
}
