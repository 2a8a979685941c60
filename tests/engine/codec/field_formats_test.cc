// SPDX-License-Identifier: Apache-2.0
// CSV rows, URLs and user agents inside a field.
#include "engine/codec/csv_cells.h"
#include "engine/codec/url_parts.h"
#include "engine/codec/user_agent.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

std::string cells(std::string_view text, CsvStyle style = {}) {
  Arena arena;
  std::vector<std::string_view> cells;
  std::string why, out;
  if (!read_csv_cells(text, style, arena, cells, why)) return "! " + why;
  for (const auto cell : cells) out += "[" + std::string(cell) + "]";
  return out;
}

std::string url(std::string_view text) {
  Arena arena;
  UrlParts p;
  std::string why, out;
  if (!read_url(text, arena, p, why)) return "! " + why;
  const auto part = [&](const char* name, std::string_view value) {
    if (value.data() != nullptr)
      out += (out.empty() ? "" : " ") + std::string(name) + ":" + std::string(value);
  };
  part("s", p.scheme);
  part("u", p.user);
  part("h", p.host);
  if (p.port) out += " p:" + std::to_string(*p.port);
  part("/", p.path);
  part("?", p.query);
  part("#", p.fragment);
  return out;
}

std::string decoded(std::string_view text, bool plus = false) {
  Arena arena;
  return std::string(percent_decoded(text, plus, arena));
}

std::string agent(std::string_view text) {
  const UserAgent a = read_user_agent(text);
  std::string out(a.browser);
  out += " " + std::string(a.browser_version) + ", " + std::string(a.os) + " " +
         std::string(a.os_version) + ", " + std::string(a.device);
  return out + (a.bot ? ", bot" : "");
}

}  // namespace

TEST_CASE("A CSV row has cells with and without quotes") {
  CHECK(cells("a,b,c") == "[a][b][c]");
  CHECK(cells("a,,") == "[a][][]");
  CHECK(cells("") == "[]");
  CHECK(cells("\"a,b\",\"c\"\"d\",\"\",x\r\n") == "[a,b][c\"d][][x]");
  CHECK(cells("\"two\nlines\",x") == "[two\nlines][x]");
  CHECK(cells("a;'b;c';d\"e", {';', '\''}) == "[a][b;c][d\"e]");
  CHECK(cells("\"a\t\"b", {'\t', '\0'}) == "[\"a][\"b]");
  CHECK(cells(std::string_view("\0,\xFF", 3)) == std::string("[\0][\xFF]", 6));
}

TEST_CASE("A broken CSV row is refused with its byte") {
  CHECK(cells("a,\"b") == "! the quote at byte 2 does not close");
  CHECK(cells("\"a\"b,c") == "! expected the separator behind the quote at byte 2");
  CHECK(cells("a,b\nc,d") == "! a second row begins at byte 4");
  CHECK(cells("\"") == "! the quote at byte 0 does not close");
  CHECK(cells("\"" + std::string(1 << 20, 'x')).starts_with("! the quote"));
}

TEST_CASE("A URL has the parts that it has") {
  CHECK(url("https://user:secret@Example.COM:8443/a/b?x=1&y=#top") ==
        "s:https u:user h:example.com p:8443 /:/a/b ?:x=1&y= #:top");
  CHECK(url("http://example.com") == "s:http h:example.com");
  CHECK(url("HTTP://[2001:DB8::1]:80/") == "s:http h:2001:db8::1 p:80 /:/");
  CHECK(url("/search?q=a?b#c#d") == "/:/search ?:q=a?b #:c#d");
  CHECK(url("//cdn.example/x") == "h:cdn.example /:/x");
  CHECK(url("mailto:a@b.example") == "s:mailto /:a@b.example");
  CHECK(url("file:///etc/hosts") == "s:file h: /:/etc/hosts");
  CHECK(url("http://h:/x?") == "s:http h:h /:/x ?:");
  CHECK(url("http://a@b@c/") == "s:http u:a@b h:c /:/");
}

TEST_CASE("What is no URL is refused with a reason") {
  CHECK(url("") == "! it is empty");
  CHECK(url("http://a b/") == "! a blank or control character at byte 8");
  CHECK(url(std::string_view("/a\0b", 4)) == "! a blank or control character at byte 2");
  CHECK(url("example.com/x") == "! there is neither a scheme nor a path that begins with /");
  CHECK(url("http://h:65536/") == "! the port is no number up to 65535");
  CHECK(url("http://h:8o/") == "! the port is no number up to 65535");
  CHECK(url("http://h:99999999999999999999/") == "! the port is no number up to 65535");
  CHECK(url("http:///x") == "! there is no host");
  CHECK(url("http://[::1/") == "! the bracket of the host does not close");
  CHECK(url("http://[::1]x/") == "! something follows the bracket of the host");
}

TEST_CASE("Percent signs are decoded where they can be") {
  CHECK(decoded("plain") == "plain");
  CHECK(decoded("a%20b%2fc%C3%BC") == "a b/c\xC3\xBC");
  CHECK(decoded("100%, %zz %4") == "100%, %zz %4");
  CHECK(decoded("a+b", true) == "a b");
  CHECK(decoded("a+b") == "a+b");
  CHECK(decoded("%FFx") == "\xEF\xBF\xBDx");
  Arena arena;
  TextPairs pairs;
  CHECK(read_query("a=1&b=%41+x&&c&=d", arena, pairs));
  REQUIRE(pairs.size() == 4);
  CHECK(pairs[1].value == "A x");
  CHECK(pairs[2].key == "c");
  CHECK(pairs[2].value.empty());
  CHECK(pairs[3].key.empty());
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a=1&";
  pairs.clear();
  CHECK_FALSE(read_query(many, arena, pairs));
  CHECK(pairs.size() == 1000);
}

TEST_CASE("User agents of browsers, tools and crawlers are told apart") {
  CHECK(agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/120.0.0.0 Safari/537.36") == "Chrome 120.0.0.0, Windows 10.0, desktop");
  CHECK(agent("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91") ==
        "Edge 120.0.2210.91, Windows 10.0, desktop");
  CHECK(agent("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0") ==
        "Firefox 121.0, Ubuntu , desktop");
  CHECK(agent("Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
              "like Gecko) Version/17.2 Mobile/15E148 Safari/604.1") ==
        "Safari 17.2, iOS 17_2, mobile");
  CHECK(agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
              "Gecko) Version/17.1 Safari/605.1.15") == "Safari 17.1, macOS 10_15_7, desktop");
  CHECK(agent("Mozilla/5.0 (Linux; Android 13; SM-X900) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/119.0.0.0 Safari/537.36") == "Chrome 119.0.0.0, Android 13, tablet");
  CHECK(agent("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/120.0.6099.43 Mobile Safari/537.36") ==
        "Chrome 120.0.6099.43, Android 14, mobile");
  CHECK(agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)") ==
        "Googlebot 2.1,  , bot, bot");
  CHECK(agent("SomeNewBot/0.1 (+https://example.org)") == " ,  , bot, bot");
  CHECK(agent("Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)") ==
        "Sogou 4.0,  , bot, bot");
  CHECK(agent("curl/8.4.0") == "curl 8.4.0,  , tool");
  CHECK(agent("python-requests/2.31.0") == "python-requests 2.31.0,  , tool");
  CHECK(agent("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/538.1 Version/6.0 TV "
              "Safari/538.1") == "Safari 6.0, Tizen 6.0, tv");
}

TEST_CASE("Phones and browsers are no crawlers for being named like one") {
  const std::string phone =
      "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/120.0.0.0 Mobile Safari/537.36";
  CHECK(agent(phone) == "Chrome 120.0.0.0, Android 9, mobile");
  CHECK(agent("Mozilla/5.0 (Linux; Android 11; cubot_note) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/99.0.0.0 Mobile Safari/537.36") == "Chrome 99.0.0.0, Android 11, mobile");
  CHECK(agent(phone + " SomeBot/1.0") == " , Android 9, bot, bot");
  CHECK(agent("Focubot/1.0") == " ,  , bot, bot");
  CHECK(agent("ubot") == " ,  , bot, bot");
  CHECK(
      agent("Mozilla/5.0 (Linux; U; Android 10; zh-cn; M2007J17C) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Version/4.0 Chrome/90.0.4430.61 Mobile Safari/537.36 "
            "SogouMSE,SogouMobileBrowser/5.32.10") == "Chrome 90.0.4430.61, Android 10, mobile");
}

TEST_CASE("Anything is a user agent, perhaps of nobody") {
  CHECK(agent("") == " ,  , other");
  CHECK(agent("-") == " ,  , other");
  CHECK(agent("robots and bottles") == " ,  , other");
  CHECK(agent(std::string("\0\xFF Chrome/", 10)) == "Chrome ,  , other");
  CHECK(agent(std::string(1 << 20, 'b')) == " ,  , other");
}
