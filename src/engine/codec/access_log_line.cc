// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/access_log_line.h"

#include "engine/codec/calendar.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace streamd {
namespace {

constexpr auto npos = std::string_view::npos;

std::size_t find(std::string_view text, char c, std::size_t from) {
  if (from >= text.size()) return npos;
  const void* at = std::memchr(text.data() + from, c, text.size() - from);
  return at == nullptr ? npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

bool looks_like_address(std::string_view text) {
  if (text.starts_with("unix:")) return true;
  std::size_t dots = 0, colons = 0;
  for (const char c : text) {
    if (c == '.')
      ++dots;
    else if (c == ':')
      ++colons;
    else if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
      return false;
  }
  return colons > 1 || (dots == 3 && colons <= 1);
}

// The next word of `text`, or all of a quoted column; skips the blank behind it.
std::string_view word(std::string_view& text) {
  std::size_t end = 0;
  std::string_view found;
  if (!text.empty() && text.front() == '"' && (end = find(text, '"', 1)) != npos && end > 1) {
    found = text.substr(1, end - 1);
    ++end;
  } else {
    end = std::min(text.find(' '), text.size());
    found = text.substr(0, end);
  }
  text.remove_prefix(std::min(end + 1, text.size()));
  return found;
}

// A word, and those that follow while each ends in a comma.
std::string_view list(std::string_view& text) {
  std::string_view found = word(text);
  while (found.ends_with(',') && !text.empty()) {
    const std::string_view next = word(text);
    found = {found.data(), static_cast<std::size_t>(next.data() + next.size() - found.data())};
  }
  return found;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == npos || colon + 1 == host.size() || host.find(':') != colon) return host;
  for (const char c : host.substr(colon + 1)) {
    if (!is_digit(c)) return host;
  }
  return host.substr(0, colon);
}

// host - user, as nearly all lines have it.
bool parse_plain_head(std::string_view head, ClfLine& out) {
  const std::size_t blank = find(head, ' ', 0);
  if (blank == npos || blank == 0 || head.substr(blank, 3) != " - " || head.front() == '"')
    return false;
  const std::string_view host = head.substr(0, blank);
  if (find(host, ',', 0) != npos) return false;
  out.part[ClfLine::addr] = host;
  out.part[ClfLine::user] = head.substr(blank + 3);
  return true;
}

// Everything before " [time": [vhost] host ident user.
bool parse_head(std::string_view head, ClfLine& out) {
  std::string_view rest = head;
  const std::string_view first = list(rest);
  if (first.empty()) return false;
  std::string_view behind = rest;
  const std::string_view second = word(behind);
  std::string_view behind_ident = behind;
  const std::string_view third = word(behind_ident);
  // host ident user, unless one more column stands in front: then the second is an address, or at
  // least the third is what ident always is.
  const bool one_more = second != "-" && third.data() != nullptr && !behind_ident.empty() &&
                        (looks_like_address(second) || third == "-");
  const bool is_list = first.find(',') != npos;
  if (one_more) {
    out.part[ClfLine::addr] = second;
    if (!is_list) out.part[ClfLine::vhost] = without_port(first);
    out.part[ClfLine::user] = behind_ident;
  } else {
    out.part[ClfLine::addr] = is_list ? first.substr(0, first.find(',')) : first;
    out.part[ClfLine::user] = behind;
  }
  return true;
}

// End of the quoted text that begins at `from`, behind the opening quote; npos: none.
std::size_t closing_quote(std::string_view line, std::size_t from) {
  std::size_t at = find(line, '"', from);
  while (at != npos && line[at - 1] == '\\' && is_escaped(line, from, at)) {
    at = find(line, '"', at + 1);
  }
  return at;
}

// At `at`: blank, status, blank or end.
bool status_follows(std::string_view line, std::size_t at, std::string_view& status) {
  if (at >= line.size() || line[at] != ' ') return false;
  std::size_t end = at + 1;
  while (end < line.size() && is_digit(line[end])) ++end;
  if (end == at + 1 && end < line.size() && line[end] == '-') ++end;
  status = line.substr(at + 1, end - at - 1);
  return !status.empty() && status.size() <= 4 && (end == line.size() || line[end] == ' ');
}

// [ "referer" ["agent"]] from `at`; an agent without closing quote goes to the line's end.
void parse_tail(std::string_view line, std::size_t at, ClfLine& out) {
  for (const ClfLine::Part part : {ClfLine::referer, ClfLine::agent}) {
    if (at + 1 >= line.size() || line[at] != ' ' || line[at + 1] != '"') return;
    const std::size_t end = std::min(closing_quote(line, at + 2), line.size());
    out.part[part] = line.substr(at + 2, end - at - 2);
    at = end + 1;
  }
}

// dd/Mon/yyyy:HH:MM:SS +zzzz. In a mask: '0' stands for a digit, '-' for either sign, 'M' for
// anything.
constexpr char kFullTime[] = "00/MMM/0000:00:00:00 -0000";
constexpr std::size_t kFullTimeSize = sizeof kFullTime - 1;

#if defined(__SSE2__)
bool fits(const char* text, const char* mask) {
  const __m128i t = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i m = _mm_loadu_si128(reinterpret_cast<const __m128i*>(mask));
  const auto is = [](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  const __m128i digit =
      _mm_cmpeq_epi8(_mm_min_epu8(_mm_sub_epi8(t, _mm_set1_epi8('0')), _mm_set1_epi8(9)),
                     _mm_sub_epi8(t, _mm_set1_epi8('0')));
  const __m128i free = _mm_or_si128(is(m, 'M'), _mm_and_si128(is(m, '-'), is(t, '+')));
  const __m128i good =
      _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(t, m), free), _mm_and_si128(is(m, '0'), digit));
  return _mm_movemask_epi8(good) == 0xFFFF;
}
bool is_full_clf_time(const char* t) {
  constexpr std::size_t kRest = kFullTimeSize - 16;
  return fits(t, kFullTime) && fits(t + kRest, kFullTime + kRest);
}
#else
bool is_full_clf_time(const char* t) {
  bool good = true;
  for (std::size_t i = 0; i < kFullTimeSize; ++i) {
    const char m = kFullTime[i];
    good =
        good & (m == 'M' || t[i] == m || (m == '0' && is_digit(t[i])) || (m == '-' && t[i] == '+'));
  }
  return good;
}
#endif

// Where the first blank before "[time] " and a quote is; npos: nowhere.
std::size_t find_time(std::string_view line, std::size_t& length) {
  std::size_t at = find(line, '[', 0);
  for (; at != npos; at = find(line, '[', at + 1)) {
    if (at == 0 || line[at - 1] != ' ') continue;
    length = clf_time_length(line, at + 1);
    if (length == 0) continue;
    const std::size_t behind = at + 1 + length;
    if (line.substr(behind, 3) == "] \"") return at - 1;
  }
  return npos;
}

}  // namespace

bool is_escaped(std::string_view text, std::size_t from, std::size_t at) {
  std::size_t backslashes = 0;
  while (at > from && text[at - 1] == '\\') {
    --at;
    ++backslashes;
  }
  return backslashes % 2 == 1;
}

std::size_t clf_time_length(std::string_view text, std::size_t at) {
  if (at + kFullTimeSize <= text.size() && is_full_clf_time(text.data() + at)) [[likely]]
    return kFullTimeSize;
  const std::size_t begin = at;
  const auto digits = [&](std::size_t most) {
    const std::size_t from = at;
    while (at < text.size() && at - from < most && is_digit(text[at])) ++at;
    return at > from;
  };
  const auto is = [&](char c) { return at < text.size() && text[at] == c && ++at > 0; };
  if (!digits(2) || !is('/') || at + 3 > text.size()) return 0;
  at += 3;
  if (!is('/') || !digits(4) || !is(':') || !digits(2) || !is(':') || !digits(2) || !is(':') ||
      !digits(2)) {
    return 0;
  }
  if (at + 1 < text.size() && text[at] == ' ' && (text[at + 1] == '+' || text[at + 1] == '-')) {
    at += 2;
    if (!digits(4)) return 0;
  }
  return at - begin;
}

bool parse_clf_line(std::string_view line, bool with_tail, ClfLine& out, std::string_view& why,
                    std::size_t& at) {
  out = {};
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t length = 0;
  std::size_t blank = find_time(line, length);
  at = 0;
  why = "no [time] \"request\" in the line";
  if (blank == npos) return false;
  std::string_view head = line.substr(0, blank);
  // One quote in front of everything and none closing it there: the whole line is quoted.
  if (head.starts_with('"') && head.find('"', 1) == npos) {
    head.remove_prefix(1);
    if (line.ends_with('"')) line.remove_suffix(1);
  }
  why = "no client address in front of the time";
  if (!parse_plain_head(head, out) && !parse_head(head, out)) return false;
  if (out.part[ClfLine::user] == "\"\"") out.part[ClfLine::user] = std::string_view(head.data(), 0);
  out.part[ClfLine::time] = line.substr(blank + 2, length);

  const std::size_t request = blank + 2 + length + 3;
  std::size_t quote = request <= line.size() ? closing_quote(line, request) : npos;
  std::string_view status;
  // Old servers wrote quotes as they came: the one before a status ends the request.
  while (quote != npos && !status_follows(line, quote + 1, status)) {
    quote = find(line, '"', quote + 1);
  }
  at = std::min(request, line.size());
  why = "no closing quote and status behind the request";
  if (quote == npos) return false;
  out.part[ClfLine::request] = line.substr(request, quote - request);
  out.part[ClfLine::status] = status;

  std::size_t next = quote + 2 + status.size();
  if (next >= line.size()) return true;
  const std::size_t begin = ++next;
  while (next < line.size() && is_digit(line[next])) ++next;
  if (next == begin && next < line.size() && line[next] == '-') ++next;
  at = begin;
  why = "no number of bytes behind the status";
  if (next < line.size() && line[next] != ' ') return false;
  if (next > begin) out.part[ClfLine::bytes] = line.substr(begin, next - begin);
  if (with_tail) parse_tail(line, next, out);
  return true;
}

namespace {

bool is_protocol(std::string_view text) {
  return text.size() >= 6 && text.starts_with("HTTP/") && is_digit(text[5]) &&
         (text.size() == 6 || (text.size() == 8 && text[6] == '.' && is_digit(text[7])));
}

constexpr std::array<bool, 256> method_bytes() {
  std::array<bool, 256> is{};
  for (unsigned c = 0; c < 128; ++c)
    is[c] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  for (const char c : std::string_view("-_!#$%&'*+.^`|~")) is[static_cast<unsigned char>(c)] = true;
  return is;
}

bool is_method(std::string_view text) {
  static constexpr std::array<bool, 256> kMethodBytes = method_bytes();
  for (const char c : text)
    if (!kMethodBytes[static_cast<unsigned char>(c)]) return false;
  return !text.empty();
}

// Where the blank before the protocol that ends the text is; npos: it ends in none.
std::size_t before_protocol(std::string_view text) {
  constexpr std::size_t kUsual = sizeof " HTTP/1.1" - 1;
  const std::size_t usual = text.size() - kUsual;
  if (text.size() >= kUsual && text[usual] == ' ' && is_protocol(text.substr(usual + 1))) [[likely]]
    return usual;
  const std::size_t blank = text.rfind(' ');
  return blank != npos && is_protocol(text.substr(blank + 1)) ? blank : npos;
}

}  // namespace

RequestLine split_request(std::string_view request) {
  RequestLine out;
  const std::size_t blank = find(request, ' ', 0);
  if (blank == npos || !is_method(request.substr(0, blank))) return out;
  out.method = request.substr(0, blank);
  std::string_view target = request.substr(blank + 1);
  const std::size_t end = before_protocol(target);
  if (end != npos) {
    out.protocol = target.substr(end + 1);
    target = target.substr(0, end);
  } else if (is_protocol(target)) {
    out.protocol = target;
    target = target.substr(0, 0);
  }
  out.uri = target;
  if (out.method == "CONNECT") return out;
  std::string_view local = target;
  const std::size_t scheme = target.starts_with('/') ? npos : target.find("://");
  if (scheme != npos) {
    const std::size_t slash = target.find_first_of("/?", scheme + 3);
    local = slash == npos ? target.substr(target.size()) : target.substr(slash);
  }
  const std::size_t mark = find(local, '?', 0);
  out.path = local.substr(0, mark);
  if (mark != npos) out.query = local.substr(mark + 1);
  return out;
}

std::size_t unescape_log(std::string_view text, char* to) {
  const auto hex = [](char c) {
    if (is_digit(c)) return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  constexpr std::string_view kLetters = "bnrtv\"\\", kBytes = "\b\n\r\t\v\"\\";
  char* const begin = to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *to++ = text[i];
      continue;
    }
    const char next = text[i + 1];
    const std::size_t letter = kLetters.find(next);
    if (next == 'x' && i + 3 < text.size() && hex(text[i + 2]) >= 0 && hex(text[i + 3]) >= 0) {
      *to++ = static_cast<char>(hex(text[i + 2]) * 16 + hex(text[i + 3]));
      i += 3;
    } else if (letter != npos) {
      *to++ = kBytes[letter];
      ++i;
    } else {
      *to++ = text[i];
    }
  }
  return static_cast<std::size_t>(to - begin);
}

}  // namespace streamd
