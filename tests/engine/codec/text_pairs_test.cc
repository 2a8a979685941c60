// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/text_pairs.h"

#include "tests/support/catch.h"

using namespace streamd;

namespace {

// "key=value|key=value", or "! why".
std::string shown(bool good, const TextPairs& pairs, const std::string& why) {
  if (!good) return "! " + why;
  std::string out;
  for (const TextPair& pair : pairs)
    out += (out.empty() ? "" : "|") + std::string(pair.key) + "=" + std::string(pair.value);
  return out;
}
std::string kv(std::string_view text, const KvFormat& format = {}) {
  Arena arena;
  TextPairs pairs;
  std::string why;
  const bool good = read_kv(text, format, arena, pairs, why);
  return shown(good, pairs, why);
}
std::string cef(std::string_view text, bool labels = false) {
  Arena arena;
  TextPairs pairs;
  EventHeader header;
  std::string why, out;
  const bool good = read_cef(text, labels, arena, header, pairs, why);
  if (good)
    for (const auto part : header.part) out += std::string(part) + "/";
  return out + shown(good, pairs, why);
}
std::string leef(std::string_view text) {
  Arena arena;
  TextPairs pairs;
  EventHeader header;
  std::string why, out;
  const bool good = read_leef(text, arena, header, pairs, why);
  if (good)
    for (std::size_t i = 0; i < 5; ++i) out += std::string(header.part[i]) + "/";
  return out + shown(good, pairs, why);
}

}  // namespace

TEST_CASE("Pairs stand between words, in quotes and with escapes") {
  CHECK(kv("a=1 b=two  c=") == "a=1|b=two|c=");
  CHECK(kv("level=info msg=\"all \\\"is\\\" well\" took=5ms") ==
        "level=info|msg=all \"is\" well|took=5ms");
  CHECK(kv("msg='it is' n=1") == "msg=it is|n=1");
  CHECK(kv("Failed password user=bob from src=1.2.3.4\n") == "user=bob|src=1.2.3.4");
  CHECK(kv("path=\"C:\\\\x\\y\" t=\"a\\tb\\n\"") == "path=C:\\x\\y|t=a\tb\n");
  CHECK(kv("url=http://h/?a=b&c=d x=1") == "url=http://h/?a=b&c=d|x=1");
  CHECK(kv("=lost a=1") == "a=1");
  CHECK(kv("a=1 a=2") == "a=1|a=2");
}

TEST_CASE("What is between keys, values and pairs can be chosen") {
  CHECK(kv("a: 1; b : two words ;c:3", {":", ";", ""}) == "a=1|b=two words|c=3");
  CHECK(kv("a=>1,b=>2", {"=>", ",", "\""}) == "a=1|b=2");
  CHECK(kv("a=1,b=2;c=3", {"=", ",;", ""}) == "a=1|b=2|c=3");
  CHECK(kv("a:\"x;y\";b:2", {":", ";", "\""}) == "a=x;y|b=2");
}

TEST_CASE("Texts that are no pairs are refused with a reason") {
  CHECK(kv("") == "! no key with a value: there is no \"=\"");
  CHECK(kv("nothing here") == "! no key with a value: there is no \"=\"");
  CHECK(kv("a=1 b=\"open c=2") == "! the quote at byte 6 does not close");
  CHECK(kv("a=\"x\\") == "! the quote at byte 2 does not close");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "k" + std::to_string(i) + "=v ";
  CHECK(kv(many) == "! more than 1000 pairs");
}

TEST_CASE("Pairs of any bytes are bytes") {
  CHECK(kv(std::string_view("a=\0\xFF b=2", 8)) == "a=" + std::string("\0\xFF", 2) + "|b=2");
  const std::string huge(3 << 20, 'x');
  CHECK(kv("a=" + huge).size() == huge.size() + 2);
  CHECK(kv(huge).starts_with("! no key"));
}

TEST_CASE("CEF comes apart into header and extension") {
  CHECK(cef("CEF:0|Security|threatmanager|1.0|100|worm stopped|10|src=10.0.0.1 dst=2.1.2.2 "
            "msg=it is all over spt=1232") ==
        "0/Security/threatmanager/1.0/100/worm stopped/10/"
        "src=10.0.0.1|dst=2.1.2.2|msg=it is all over|spt=1232");
  CHECK(cef("<134>Oct 1 host CEF:1|v|p|1|id|n|High|") == "1/v/p/1/id/n/High/");
  CHECK(cef("CEF:0|v|p|1|id|n|High") == "0/v/p/1/id/n/High/");
}

TEST_CASE("CEF undoes its escapes and leaves those of nobody") {
  CHECK(cef("CEF:0|a\\|b|c\\\\d|1|i|n|1|k=x\\=y\\nz path=C:\\Users\\me") ==
        "0/a|b/c\\d/1/i/n/1/k=x=y\nz|path=C:\\Users\\me");
  CHECK(cef("CEF:0|v|p|1|i|n|1|request=http://h/?a=b&c=d msg=a=b c=d") ==
        "0/v/p/1/i/n/1/request=http://h/?a=b&c=d|msg=a=b|c=d");
  CHECK(cef("CEF:0|v|p|1|i|n|1|empty= next=1") == "0/v/p/1/i/n/1/empty=|next=1");
}

TEST_CASE("Labels of CEF name the values that they are of") {
  const char* text = "CEF:0|v|p|1|i|n|1|cs1Label=Rule Name cs1=block cn1=5 cn2Label=Alone";
  CHECK(cef(text) == "0/v/p/1/i/n/1/cs1Label=Rule Name|cs1=block|cn1=5|cn2Label=Alone");
  CHECK(cef(text, true) == "0/v/p/1/i/n/1/Rule Name=block|cn1=5|cn2Label=Alone");
}

TEST_CASE("What is no CEF is refused with a reason") {
  CHECK(cef("hello") == "! there is no \"CEF:\"");
  CHECK(cef("XCEF:0|a") == "! there is no \"CEF:\"");
  CHECK(cef("CEF:0|a|b") == "! the header has 2 of 7 parts");
  CHECK(cef("CEF:0|a|b|c|d|e|f|free text") == "! the extension holds no key with a value");
  CHECK(cef("CEF:0|a\\") == "! the header has 1 of 7 parts");
  std::string many = "CEF:0|v|p|1|i|n|1|";
  for (int i = 0; i < 1001; ++i) many += "k" + std::to_string(i) + "=v ";
  CHECK(cef(many) == "! more than 1000 pairs");
}

TEST_CASE("LEEF comes apart by tabs or by what its header says") {
  CHECK(leef("LEEF:1.0|Lancope|StealthWatch|1.0|41|src=10.0.0.1\tdst=x y\tsev=5") ==
        "1.0/Lancope/StealthWatch/1.0/41/src=10.0.0.1|dst=x y|sev=5");
  CHECK(leef("LEEF:2.0|v|p|1|id|^|a=1^b=2=3^^") == "2.0/v/p/1/id/a=1|b=2=3");
  CHECK(leef("LEEF:2.0|v|p|1|id|x7c|a=1|b=2") == "2.0/v/p/1/id/a=1|b=2");
  CHECK(leef("LEEF:2.0|v|p|1|id|0x09|a=1\tb=2") == "2.0/v/p/1/id/a=1|b=2");
  CHECK(leef("LEEF:2.0|v|p|1|id||a=1\tb=2") == "2.0/v/p/1/id/a=1|b=2");
  CHECK(leef("LEEF:2.0|v|p|1|id|a=x|y\tb=2") == "2.0/v/p/1/id/a=x|y|b=2");
  CHECK(leef("Jan 1 host LEEF:1.0|v|p|1|id|") == "1.0/v/p/1/id/");
}

TEST_CASE("What is no LEEF is refused with a reason") {
  CHECK(leef("CEF:0|a") == "! there is no \"LEEF:\"");
  CHECK(leef("LEEF:1.0|a|b") == "! the header has 2 of 5 parts");
  CHECK(leef("LEEF:1.0|v|p|1|id|a=1\tword") == "! attribute 2 is no key=value");
  CHECK(leef("LEEF:2.0|v|p|1|id|x999|a=1") ==
        "! the delimiter in the header is no character and no hex number");
}
