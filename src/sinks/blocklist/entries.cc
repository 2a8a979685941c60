// SPDX-License-Identifier: Apache-2.0
#include "sinks/blocklist/entries.h"

#include "engine/core/hash.h"
#include "engine/expr/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

namespace streamd::blocklist {
namespace {

// version, number of lines, checksum of what follows
constexpr std::string_view kHead = "streamd blocklist 1";

void append_number(std::int64_t number, std::string& out) { out += std::to_string(number) + '\t'; }

// Up to the next tab.
std::optional<std::string_view> take(std::string_view& line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  const std::string_view part = line.substr(0, tab);
  line.remove_prefix(tab + 1);
  return part;
}

template <class Number>
bool take_number(std::string_view& line, Number& into) {
  const auto part = take(line);
  if (!part) return false;
  const auto [end, error] = std::from_chars(part->data(), part->data() + part->size(), into);
  return error == std::errc{} && end == part->data() + part->size();
}

bool take_entry(std::string_view line, IpNetwork& network, Entry& entry) {
  const auto text = take(line);
  const auto parsed = text ? parse_network(*text) : std::nullopt;
  std::uint64_t scored = 0;
  double score = 0;
  if (!parsed || !take_number(line, entry.first_told.micros) ||
      !take_number(line, entry.last_told.micros) || !take_number(line, entry.expires.micros) ||
      !take_number(line, scored) || !take_number(line, score) || !std::isfinite(score))
    return false;
  network = *parsed;
  if (scored != 0) entry.score = score;
  entry.why = line;
  return true;
}

// On one line, for people: what is no printable text would change how the line looks.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = ' ';
  return line;
}

}  // namespace

bool Order::operator()(const IpNetwork& a, const IpNetwork& b) const {
  return std::tie(a.first.v6, a.first.bits, a.prefix) <
         std::tie(b.first.v6, b.first.bits, b.prefix);
}

bool Entries::tell(const IpNetwork& network, EventTime now, Duration lasts,
                   std::optional<double> score, std::string_view why) {
  auto at = entries_.find(network);
  if (at == entries_.end()) {
    if (entries_.size() >= most_) return false;
    at = entries_.emplace(network, Entry{now, now, now, {}, {}}).first;
  }
  Entry& entry = at->second;
  entry.last_told = now;
  entry.expires = std::max(entry.expires, now + lasts);
  next_end_ = std::min(next_end_, entry.expires);
  entry.score = score;
  entry.why = on_one_line(why);
  return true;
}

void Entries::last(Duration lasts) {
  next_end_ = EventTime::max();
  for (auto& [network, entry] : entries_) {
    entry.expires = entry.last_told + lasts;
    next_end_ = std::min(next_end_, entry.expires);
  }
}

bool Entries::remove_ended(EventTime now) {
  if (now < next_end_) return false;
  next_end_ = EventTime::max();
  return std::erase_if(entries_, [&](const auto& item) {
           const bool ended = item.second.expires <= now;
           if (!ended) next_end_ = std::min(next_end_, item.second.expires);
           return ended;
         }) > 0;
}

bool Entries::remove(const std::function<bool(const IpNetwork&)>& allowed) {
  return std::erase_if(entries_, [&](const auto& item) { return allowed(item.first); }) > 0;
}

std::string Entries::encode() const {
  std::string body;
  for (const auto& [network, entry] : entries_) {
    body += text_of(network) + '\t';
    append_number(entry.first_told.micros, body);
    append_number(entry.last_told.micros, body);
    append_number(entry.expires.micros, body);
    append_number(entry.score ? 1 : 0, body);
    body += fmt::format("{}\t{}\n", entry.score.value_or(0), entry.why);
  }
  return fmt::format("{}\t{}\t{:016x}\t\n{}", kHead, entries_.size(), hash_bytes(body, 0), body);
}

bool Entries::decode(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  std::string_view head = text.substr(0, end);
  std::string_view body = text.substr(end + 1);
  std::size_t count = 0;
  if (take(head) != kHead || !take_number(head, count) ||
      take(head) != fmt::format("{:016x}", hash_bytes(body, 0)))
    return false;
  for (; !body.empty(); --count) {
    const std::size_t line = body.find('\n');
    IpNetwork network;
    Entry entry;
    if (count == 0 || line == std::string_view::npos ||
        !take_entry(body.substr(0, line), network, entry))
      return false;
    next_end_ = std::min(next_end_, entry.expires);
    entries_.insert_or_assign(network, std::move(entry));
    body.remove_prefix(line + 1);
  }
  return count == 0;
}

std::string text_of(const IpNetwork& network) {
  const unsigned octets = network.first.width() / 8;
  std::string bytes(octets, '\0');
  Uint128 bits = network.first.bits;
  for (unsigned i = octets; i > 0; --i, bits >>= 8)
    bytes[i - 1] = static_cast<char>(static_cast<unsigned char>(bits & 0xFF));
  std::string text;
  expr::append_ip(bytes, text);
  if (network.prefix < network.first.width()) text += '/' + std::to_string(network.prefix);
  return text;
}

}  // namespace streamd::blocklist
