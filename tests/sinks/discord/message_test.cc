// SPDX-License-Identifier: Apache-2.0
#include "sinks/discord/message.h"

#include "tests/support/catch.h"

namespace streamd::discord {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  escape(text, out);
  return out;
}

TEST_CASE("Characters count as UTF-16 units, and are never cut in the middle") {
  CHECK(units("abc") == 3);
  CHECK(units("ä€") == 2);
  CHECK(units("😀") == 2);
  CHECK(cut("abc", 3) == "abc");
  CHECK(cut("abcd", 3) == "ab…");
  CHECK(cut("a😀😀", 4) == "a😀…");
  CHECK(cut("😀😀", 2) == "…");
}

TEST_CASE("What comes out of a log means nothing but itself") {
  CHECK(escaped("203.0.113.9") == "203.0.113.9");
  CHECK(escaped("@everyone") == "\\@everyone");
  CHECK(escaped("<@&1> `x` **b** [a](http://x)") ==
        "\\<\\@&1\\> \\`x\\` \\*\\*b\\*\\* \\[a\\]\\(http\\://x\\)");
  CHECK(escaped("a\nb\x1b[0m") == "a b \\[0m");
  CHECK(escaped("a\u202Eb\u2066c\u200Fd") == "abcd");
  CHECK(escaped("größe 😀 – ok") == "größe 😀 – ok");
}

Alert embed_of(std::size_t text, std::size_t fields, std::size_t value) {
  Alert alert;
  alert.embed = true;
  alert.title = std::string(300, 't');
  alert.text = std::string(text, 'd');
  alert.footer = "alert 1";
  for (std::size_t i = 0; i < fields; ++i)
    alert.fields.emplace_back("name" + std::to_string(i), std::string(value, 'v'));
  return alert;
}

TEST_CASE("An embed keeps every limit, whatever is put into it") {
  for (const std::size_t text : {0, 10, 4096, 5000, 100'000})
    for (const std::size_t fields : {0, 1, 25, 40})
      for (const std::size_t value : {0, 5, 1024, 2000}) {
        INFO(text << " " << fields << " " << value);
        const std::string encoded = encode(embed_of(text, fields, value));
        const std::size_t total = weight(encoded, true);
        CHECK(total <= kAllEmbeds);
        CHECK(total >= kTitle);
        CHECK(encoded.find(std::string(1025, 'v')) == std::string::npos);
        CHECK(encoded.find(std::string(4097, 'd')) == std::string::npos);
        CHECK(encoded.find("\"value\":\"\"") == std::string::npos);
        CHECK(encoded.find("\"value\"}") == std::string::npos);
        CHECK(encoded.find("name25") == std::string::npos);
      }
}

TEST_CASE("As many alerts share a message as its limits allow") {
  const std::string large = encode(embed_of(2500, 0, 0)), small = encode(embed_of(10, 0, 0));
  CHECK(fits({large, large, large}, true) == 2);
  CHECK(fits(std::vector<std::string_view>(12, small), true) == 10);
  CHECK(fits({encode(embed_of(100'000, 25, 1024))}, true) == 1);
  const std::string line(999, 'x');
  CHECK(fits({line, line, line}, false) == 2);
  CHECK(fits({std::string(1000, 'x'), std::string(1000, 'x')}, false) == 1);
}

TEST_CASE("A message calls nobody, and shows what it was given") {
  CHECK(request_body({"one", "t\"wo"}, false, "", "") ==
        R"({"content":"one\nt\"wo","allowed_mentions":{"parse":[]}})");
  CHECK(request_body({"{}", "{}"}, true, "streamd", "https://x/y.png") ==
        R"({"username":"streamd","avatar_url":"https://x/y.png","embeds":[{},{}],)"
        R"("allowed_mentions":{"parse":[]}})");
}

TEST_CASE("An embed has only the parts that were given") {
  Alert alert;
  alert.embed = true;
  alert.title = "t";
  alert.color = 255;
  alert.timestamp = "2024-01-02T03:04:05Z";
  CHECK(encode(alert) == R"({"title":"t","timestamp":"2024-01-02T03:04:05Z","color":255})");
  alert.fields = {{"a", "1"}, {"empty", ""}};
  CHECK(encode(alert).find(R"("fields":[{"name":"a","value":"1","inline":true}])") !=
        std::string::npos);
}

}  // namespace
}  // namespace streamd::discord
