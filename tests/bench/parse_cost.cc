// SPDX-License-Identifier: Apache-2.0
// What reading the text of a field costs, by format, and how fast free text is looked through:
//   bench_parse_cost [lines, 20000 by default]
// The readers alone, on one thread: no source, no columns, no sink.
#include "engine/codec/csv_cells.h"
#include "engine/codec/found_values.h"
#include "engine/codec/grok.h"
#include "engine/codec/text_pairs.h"
#include "engine/codec/url_parts.h"
#include "engine/codec/user_agent.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <vector>

using namespace streamd;

namespace {

constexpr double kSecondsEach = 0.5;

// Of this thread, so that other load on the machine counts only where it takes the cache.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::mt19937 dice(7);
template <std::size_t N>
const char* one_of(const char* const (&texts)[N]) {
  return texts[dice() % N];
}
std::string number(unsigned below) { return std::to_string(dice() % below); }
std::string address() {
  return number(223) + "." + number(256) + "." + number(256) + "." + number(256);
}

constexpr const char* kAgents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.4.0"};
constexpr const char* kPaths[] = {"/", "/index.html", "/static/css/site.css?v=17",
                                  "/api/v1/items?page=3&sort=price", "/images/logo.png"};
constexpr const char* kWords[] = {"the",   "service", "has",     "finished", "request", "of",
                                  "user",  "after",   "retry",   "and",      "queue",   "is",
                                  "empty", "again",   "because", "nothing",  "waits"};

std::string access_line() {
  return address() + " - - [21/Nov/2026:18:" + std::to_string(10 + dice() % 50) + ":" +
         std::to_string(10 + dice() % 50) + " +0000] \"GET " + one_of(kPaths) + " HTTP/1.1\" 200 " +
         number(100'000) + " \"https://www.example.com/\" \"" + one_of(kAgents) + "\"";
}
std::string syslog_line() {
  return "Nov 21 18:30:" + std::to_string(10 + dice() % 50) + " web-" + number(20) + " sshd[" +
         number(60'000) + "]: Failed password for root from " + address() + " port " +
         number(65'000) + " ssh2";
}
std::string prose() {
  std::string text;
  while (text.size() < 200)
    text += std::string(one_of(kWords)) + (dice() % 9 == 0 ? ". " : dice() % 15 == 0 ? ", " : " ");
  return text;
}
std::string json_log() {
  return "{\"ts\":\"2026-11-21T18:30:00." + number(1000) + "Z\",\"level\":\"info\",\"took\":0." +
         number(1000) + ",\"msg\":\"" + prose() +
         "\",\"tags\":[\"a\",\"b\"],\"n\":" + number(1000) + "}";
}
std::string kv_line() {
  return "time=18:30:00 level=info user=u" + number(1000) +
         " msg=\"it is done\" took=" + number(100) + "ms status=200 path=" + one_of(kPaths);
}
std::string cef_line() {
  return "CEF:0|Vendor|Product|1.0|100|worm stopped|7|src=" + address() + " dst=" + address() +
         " spt=" + number(65'000) + " act=blocked msg=a text of some words cs1Label=Rule cs1=r" +
         number(100);
}

using Lines = std::vector<std::string>;
Lines lines_of(std::size_t count, std::string (*line)()) {
  Lines lines;
  for (std::size_t i = 0; i < count; ++i) lines.push_back(line());
  return lines;
}

// read: one line; how many things it found in it.
template <class Read>
void measure(const char* name, const Lines& lines, Read read) {
  std::size_t bytes = 0, found = 0, rounds = 0;
  for (const auto& line : lines) bytes += line.size();
  double best = 1e9;
  const double begin = cpu_seconds();
  while (rounds < 3 || cpu_seconds() - begin < kSecondsEach) {
    const double start = cpu_seconds();
    found = 0;
    for (const auto& line : lines) found += read(line);
    best = std::min(best, cpu_seconds() - start);
    ++rounds;
  }
  const auto count = static_cast<double>(lines.size());
  std::printf("%-34s %7.0f ns a line, %7.3f million lines/s, %6.3f GB/s, %5.2f found of %4.0f B\n",
              name, best / count * 1e9, count / best / 1e6, static_cast<double>(bytes) / best / 1e9,
              static_cast<double>(found) / count, static_cast<double>(bytes) / count);
}

void measure_pattern(const char* name, const char* pattern, const Lines& lines) {
  std::vector<GrokProblem> problems;
  const Grok grok = Grok::compile(pattern, {}, Grok::Style::grok, problems);
  if (!problems.empty()) {
    std::printf("%s: %s\n", name, problems[0].message.c_str());
    std::exit(1);
  }
  std::vector<std::string_view> values(grok.fields().size());
  Grok::Scratch scratch;
  measure(name, lines, [&](const std::string& line) {
    if (!grok.match(line, values.data(), scratch)) return std::ptrdiff_t{0};
    return std::count_if(values.begin(), values.end(),
                         [](std::string_view value) { return value.data() != nullptr; });
  });
}

void measure_patterns(std::size_t count) {
  const Lines access = lines_of(count, access_line), syslog = lines_of(count, syslog_line);
  measure_pattern("grok COMBINEDAPACHELOG", "%{COMBINEDAPACHELOG}", access);
  // The pattern of elastic/logstash#9625.
  measure_pattern("grok, access log by hand",
                  "%{IPORHOST:clientip} %{USER:ident} %{USER:auth} \\[%{HTTPDATE:timestamp}\\] "
                  "\"%{WORD:verb} %{DATA:request} HTTP/%{NUMBER:httpversion}\" "
                  "%{NUMBER:response:int} (?:-|%{NUMBER:bytes:int}) %{QS:referrer} %{QS:agent}",
                  access);
  measure_pattern("grok SYSLOGBASE + GREEDYDATA", "%{SYSLOGBASE} %{GREEDYDATA:text}", syslog);
  measure_pattern("regex, one field in the middle", "from (?P<ip>[0-9.]+) port", syslog);
  measure_pattern("grok that does not match", "%{COMBINEDAPACHELOG}", syslog);
}

void measure_formats(std::size_t count) {
  Arena arena;
  TextPairs pairs;
  std::string why;
  measure("kv", lines_of(count, kv_line), [&](const std::string& line) {
    arena.clear();
    pairs.clear();
    read_kv(line, {}, arena, pairs, why);
    return pairs.size();
  });
  EventHeader header;
  measure("cef", lines_of(count, cef_line), [&](const std::string& line) {
    arena.clear();
    pairs.clear();
    read_cef(line, true, arena, header, pairs, why);
    return pairs.size();
  });
  const auto url = [] { return "https://www.example.com:443" + std::string(one_of(kPaths)); };
  UrlParts parts;
  measure("url", lines_of(count, url), [&](const std::string& line) {
    arena.clear();
    return read_url(line, arena, parts, why) ? 1u : 0u;
  });
  const auto agent = [] { return std::string(one_of(kAgents)); };
  measure("user_agent", lines_of(count, agent), [&](const std::string& line) {
    return read_user_agent(line).device.size() > 0 ? 1u : 0u;
  });
  const auto row = [] { return "a,\"b, c\"," + number(1000) + ",," + address(); };
  std::vector<std::string_view> cells;
  measure("csv", lines_of(count, row), [&](const std::string& line) {
    arena.clear();
    read_csv_cells(line, {}, arena, cells, why);
    return cells.size();
  });
}

void measure_extract(const char* name, const Lines& lines) {
  Arena arena;
  std::vector<FoundValue> found;
  ValueFinder finder((1u << kFoundKinds) - 1, 100);
  measure(name, lines, [&](const std::string& line) {
    arena.clear();
    found.clear();
    finder.find(line, arena, found);
    return found.size();
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  if (count == 0) return 2;
  measure_patterns(count);
  measure_formats(count);
  measure_extract("extract, prose", lines_of(count, prose));
  measure_extract("extract, JSON log", lines_of(count, json_log));
  measure_extract("extract, syslog with an address", lines_of(count, syslog_line));
  measure_extract("extract, access log", lines_of(count, access_line));
}
