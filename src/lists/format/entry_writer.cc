// SPDX-License-Identifier: Apache-2.0
#include "lists/format/entry_writer.h"

#include "engine/expr/time_text.h"
#include "lists/format/line_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <string>

namespace streamd {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string text_of(const IpAddress& address, unsigned prefix) {
  const auto part = [&](unsigned from_the_right, unsigned bits) {
    return static_cast<unsigned>(address.bits >> from_the_right) & ((1u << bits) - 1);
  };
  if (!address.v6) {
    std::string out = fmt::format("{}.{}.{}.{}", part(24, 8), part(16, 8), part(8, 8), part(0, 8));
    return prefix == 32 ? out : fmt::format("{}/{}", out, prefix);
  }
  std::string out;
  for (unsigned i = 0; i < 8; ++i)
    out += fmt::format("{}{:x}", i == 0 ? "" : ":", part(112 - 16 * i, 16));
  return prefix == 128 ? out : fmt::format("{}/{}", out, prefix);
}

// As many addresses as a network that begins here may have, as a power of two.
unsigned alignment_of(const IpAddress& address) {
  if (address.bits == 0) return address.width();
  const auto low = static_cast<std::uint64_t>(address.bits);
  if (low != 0) return static_cast<unsigned>(std::countr_zero(low));
  return 64 +
         static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(address.bits >> 64)));
}

bool is_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords = {"-", "none", "null", "n/a", "unknown", "nil"};
  const auto same = [&](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
    });
  };
  return text.empty() || std::any_of(kWords.begin(), kWords.end(), same);
}

// Seconds since 1970, or parts of one when there are too many digits for seconds.
std::optional<EventTime> unix_time(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 0 && number < 1e17)) return std::nullopt;
  const double micros = number < 1e11 ? number * 1e6 : number < 1e14 ? number * 1e3 : number;
  const EventTime time{static_cast<std::int64_t>(micros)};
  return time > expr::kMaxTimestamp ? std::nullopt : std::optional(time);
}

// The address of "192.0.2.7:443" or "[2001:db8::7]:443"; empty: it is neither.
std::string_view without_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit))
    return {};
  std::string_view host = text.substr(0, colon);
  std::uint32_t v4 = 0;
  if (parse_v4(host, v4)) return host;
  if (!host.starts_with('[') || !host.ends_with(']')) return {};
  host = host.substr(1, host.size() - 2);
  return parse_address(host) ? host : std::string_view{};
}

constexpr std::string_view kNoAddress = "is no address or network";

}  // namespace

EntryWriter::EntryWriter(IndicatorListBuilder& builder, const ListDefaults& defaults, EventTime now)
    : builder_(builder), now_(now) {
  defaults_.type = defaults.type;
  defaults_.source = defaults.source;
  for (const auto& tag : defaults.tags) defaults_.tags += (defaults_.tags.empty() ? "" : ",") + tag;
  defaults_.score = defaults.score.value_or(0);
  defaults_.has_score = defaults.score.has_value();
  default_info_ = last_info_ = builder_.info(defaults_);
  last_ = defaults_;
}

std::uint32_t EntryWriter::info_of(const FoundEntry& entry) {
  if (entry.type.empty() && entry.source.empty() && entry.tags.empty() && !entry.score &&
      entry.first_seen == EventTime::min() && entry.last_seen == EventTime::min())
    return default_info_;
  const auto set = [&](std::string IndicatorInfo::*field, std::string_view text) {
    const std::string_view want = text.empty() ? defaults_.*field : text;
    if (last_.*field == want) return false;
    last_.*field = want;
    return true;
  };
  bool other = set(&IndicatorInfo::type, entry.type);
  other |= set(&IndicatorInfo::source, entry.source);
  other |= set(&IndicatorInfo::tags, entry.tags);
  const bool has_score = entry.score || defaults_.has_score;
  const double score = entry.score.value_or(defaults_.score);
  other |= has_score != last_.has_score || score != last_.score ||
           entry.first_seen != last_.first_seen || entry.last_seen != last_.last_seen;
  if (!other) return last_info_;
  last_.has_score = has_score;
  last_.score = score;
  last_.first_seen = entry.first_seen;
  last_.last_seen = entry.last_seen;
  return last_info_ = builder_.info(last_);
}

bool EntryWriter::in_force(const FoundEntry& entry) {
  if (entry.expires <= now_) return false;
  if (entry.begins <= now_) return true;
  next_begin_ = std::min(next_begin_, entry.begins);
  return false;
}

std::string_view EntryWriter::add_one(const FoundEntry& entry, std::string_view value,
                                      IndicatorKind kind) {
  return builder_.add({.value = value,
                       .kind = kind,
                       .comment = entry.comment,
                       .info = info_of(entry),
                       .expires = entry.expires,
                       .exception = entry.exception});
}

std::string_view EntryWriter::add(const FoundEntry& entry) {
  const bool may_be_address =
      entry.kind == IndicatorKind::automatic || entry.kind == IndicatorKind::address;
  const std::size_t dash = may_be_address ? entry.value.find('-') : std::string_view::npos;
  if (dash != std::string_view::npos) {
    const auto first = parse_address(format::blank_trimmed(entry.value.substr(0, dash)));
    const auto last =
        first ? parse_address(format::blank_trimmed(entry.value.substr(dash + 1))) : std::nullopt;
    if (last) return add_range(*first, *last, entry);
  }
  if (!in_force(entry)) return {};
  const auto why = add_one(entry, entry.value, entry.kind);
  if (why != kNoAddress) return why;
  const std::string_view host = without_port(entry.value);
  return host.empty() ? why : add_one(entry, host, IndicatorKind::address);
}

std::string_view EntryWriter::add_range(const IpAddress& first, const IpAddress& last,
                                        const FoundEntry& entry) {
  if (first.v6 != last.v6) return "goes from one kind of address to another";
  if (first.bits > last.bits) return "ends before it begins";
  if (!in_force(entry)) return {};
  IpAddress at = first;
  for (;;) {
    unsigned bits = alignment_of(at);
    const auto end_of = [&](unsigned host) {
      return host == 128 ? ~Uint128{0} : at.bits + ((Uint128{1} << host) - 1);
    };
    while (end_of(bits) > last.bits) --bits;
    const auto why = add_one(entry, text_of(at, at.width() - bits), IndicatorKind::address);
    const Uint128 end = end_of(bits);
    if (!why.empty() || end == last.bits) return why;
    at.bits = end + 1;
  }
}

std::optional<EventTime> read_list_time(std::string_view text, EventTime unknown) {
  text = format::blank_trimmed(text);
  if (is_nothing(text)) return unknown;
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return unix_time(text);
  if (text.ends_with(" UTC") || text.ends_with(" GMT")) text.remove_suffix(4);
  constexpr std::size_t kDate = 10, kLongest = 40;
  if (text.size() < kDate || text.size() > kLongest) return std::nullopt;
  std::string full(text);
  if (full.size() == kDate) full += "T00:00:00";
  full[kDate] = 'T';
  const bool has_zone = full.back() == 'Z' || full.back() == 'z' ||
                        full.find_first_of("+-", kDate) != std::string::npos;
  if (!has_zone) full += 'Z';
  const auto time = expr::parse_timestamp(full);
  return time ? std::optional(time->as_time()) : std::nullopt;
}

std::optional<std::optional<double>> read_list_score(std::string_view text) {
  text = format::blank_trimmed(text);
  if (text.ends_with('%')) text.remove_suffix(1);
  if (is_nothing(text)) return std::optional<double>();
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return std::optional(number);
}

}  // namespace streamd
