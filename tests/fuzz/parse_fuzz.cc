// SPDX-License-Identifier: Apache-2.0
// Texts of fields in every format that operator parse reads, and free text as extract looks through
// it. The first byte chooses.
#include "engine/codec/csv_cells.h"
#include "engine/codec/found_values.h"
#include "engine/codec/grok.h"
#include "engine/codec/pattern_program.h"
#include "engine/codec/text_pairs.h"
#include "engine/codec/url_parts.h"
#include "engine/codec/user_agent.h"
#include "engine/codec/utf8.h"
#include "engine/core/check.h"
#include "engine/expr/regex.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace streamd;

// Reads every byte, so that a sanitizer sees what points elsewhere.
std::size_t touched = 0;
void touch(std::string_view text) {
  for (const char c : text) touched += static_cast<unsigned char>(c);
}
void touch(const TextPairs& pairs) {
  for (const TextPair& pair : pairs) {
    touch(pair.key);
    touch(pair.value);
  }
}
void verdict(bool good, const std::string& why) {
  STREAMD_CHECK(good || !why.empty(), "what is refused has a reason");
}

void pairs_of(std::string_view text) {
  const KvFormat formats[] = {{}, {":", ";,", "\""}, {"=>", "|", "'"}};
  for (const KvFormat& format : formats) {
    Arena arena;
    TextPairs pairs;
    std::string why;
    verdict(read_kv(text, format, arena, pairs, why), why);
    STREAMD_CHECK(pairs.size() <= kMaxTextPairs, "pairs are limited");
    for (const TextPair& pair : pairs) STREAMD_CHECK(!pair.key.empty(), "a key has a name");
    touch(pairs);
  }
}

void events_of(std::string_view text) {
  for (const bool labels : {false, true}) {
    Arena arena;
    TextPairs pairs;
    EventHeader header;
    std::string why;
    const std::string cef = "CEF:" + std::string(text);
    const bool good = read_cef(labels ? text : cef, labels, arena, header, pairs, why);
    verdict(good, why);
    if (good)
      for (const auto part : header.part) touch(part);
    touch(pairs);
    pairs.clear();
    const std::string leef = "LEEF:2.0|a|b|c|d|" + std::string(text);
    why.clear();
    verdict(read_leef(labels ? text : leef, arena, header, pairs, why), why);
    touch(pairs);
  }
}

void cells_of(std::string_view text) {
  const CsvStyle styles[] = {{}, {';', '\''}, {'\t', '\0'}};
  for (const CsvStyle& style : styles) {
    Arena arena;
    std::vector<std::string_view> cells;
    std::string why;
    const bool good = read_csv_cells(text, style, arena, cells, why);
    verdict(good, why);
    STREAMD_CHECK(!good || !cells.empty(), "a row has a cell");
    for (const auto cell : cells) touch(cell);
  }
}

void url_of(std::string_view text) {
  Arena arena;
  UrlParts parts;
  std::string why;
  verdict(read_url(text, arena, parts, why), why);
  for (const auto part : {parts.scheme, parts.user, parts.host, parts.path, parts.query})
    touch(part);
  const std::string_view decoded = percent_decoded(text, true, arena);
  touch(decoded);
  STREAMD_CHECK(is_utf8(decoded) || !is_utf8(text), "decoded text stays UTF-8");
  TextPairs pairs;
  read_query(text, arena, pairs);
  touch(pairs);
  const UserAgent agent = read_user_agent(text);
  touch(agent.browser_version);
  STREAMD_CHECK(!agent.device.empty(), "every agent has a kind of device");
}

// Whatever the pattern, the fast way finds what RE2 finds, or says that it does not know.
void both_ways(std::string_view pattern, std::string_view text) {
  const auto regex = expr::Regex::compile(pattern);
  const auto program = PatternProgram::compile(pattern);
  if (!regex || !program || !is_utf8(text)) return;
  std::vector<std::string_view> fast(regex->groups() + 1), sure(fast.size());
  PatternScratch scratch;
  const auto outcome = program->search(text, fast.data(), fast.size(), scratch);
  if (outcome == PatternProgram::Outcome::unknown) return;
  const bool found = regex->search(text, sure.data(), sure.size());
  STREAMD_CHECK(found == (outcome == PatternProgram::Outcome::found), "both find it or none does");
  for (std::size_t g = 0; found && g < fast.size(); ++g)
    STREAMD_CHECK(fast[g].data() == sure[g].data() && fast[g].size() == sure[g].size(),
                  "groups are the same");
}

// The first line is the pattern, the second one's own, the rest the text.
void match_of(std::string_view text) {
  const auto line = [&] {
    const std::string_view first = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), first.size() + 1));
    return first;
  };
  const std::string_view pattern = line(), own = line();
  both_ways(pattern, text);
  for (const auto style : {Grok::Style::grok, Grok::Style::regex}) {
    std::vector<GrokProblem> problems;
    const Grok grok = Grok::compile(pattern, {{"OWN", std::string(own)}}, style, problems);
    for (const GrokProblem& problem : problems) {
      const std::size_t size = problem.pattern == GrokProblem::kMain ? pattern.size() : own.size();
      STREAMD_CHECK(problem.at <= size, "a problem lies inside its pattern");
      STREAMD_CHECK(!problem.message.empty(), "a problem says what it is");
    }
    if (!problems.empty()) continue;
    std::vector<std::string_view> values(grok.fields().size());
    Grok::Scratch scratch;
    if (!grok.match(text, values.data(), scratch)) continue;
    for (const auto value : values) {
      const bool inside =
          value.data() == nullptr ||
          (value.data() >= text.data() && value.data() + value.size() <= text.data() + text.size());
      STREAMD_CHECK(inside, "what is captured is a part of the text");
    }
  }
}

void values_of(std::string_view text) {
  Arena arena;
  std::vector<FoundValue> found;
  ValueFinder finder((1u << kFoundKinds) - 1, 50);
  finder.find(text, arena, found);
  STREAMD_CHECK(found.size() <= 50, "values are limited");
  // What is normal is found again, and is the same then.
  for (const FoundValue& value : found) {
    touch(value.text);
    if (value.kind == FoundKind::url) continue;
    std::vector<FoundValue> again;
    const std::string alone(value.text);
    finder.find(alone, arena, again);
    bool same = false;
    for (const FoundValue& other : again)
      same = same || (other.kind == value.kind && other.text == value.text);
    // A word that only defanged text may end in, and IPv6 that has lost its first or last digit
    // (0::a, a::0).
    const bool differs = value.kind == FoundKind::domain || value.kind == FoundKind::email ||
                         value.text.starts_with("::") || value.text.ends_with("::") ||
                         value.text.find("::/") != std::string::npos;
    STREAMD_CHECK(same || differs, "a normal form is found as itself");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: pairs_of(text); break;
    case 1: events_of(text); break;
    case 2: cells_of(text); break;
    case 3: url_of(text); break;
    case 4: match_of(text); break;
    default: values_of(text); break;
  }
  return 0;
}
