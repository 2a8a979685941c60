// SPDX-License-Identifier: Apache-2.0
#include "sources/nginx_traffic.h"

#include "engine/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace streamd {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kBurstEvery = 60, kBurstLasts = 5, kBurstRequests = 40;
constexpr std::int64_t kStormEvery = 90, kStormLasts = 15;
// Flattens the head of the law: the biggest client is busy, but no attacker.
constexpr double kZipfShift = 100.0;

constexpr std::array<std::string_view, 16> kCountries = {
    "US", "DE", "CN", "GB", "FR", "IN", "BR", "NL", "JP", "RU", "PL", "CA", "TR", "VN", "SG", "ES"};

struct Share {
  std::string_view text;
  int of;
};
constexpr Share kStatusShares[] = {{"200", 205}, {"201", 16}, {"204", 9}, {"301", 6}, {"302", 6},
                                   {"304", 11},  {"404", 1},  {"500", 1}, {"503", 1}};
constexpr Share kMethodShares[] = {
    {"GET", 47}, {"POST", 11}, {"PUT", 3}, {"DELETE", 1}, {"HEAD", 2}};
constexpr std::string_view kStormStatuses[] = {"404", "403", "429", "404"};

std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

char* put_literal(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_digits(char* to, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + digits;
}

std::string address_of(std::uint64_t bits) {
  // Public-looking: no 0, 10, 127, 192 or multicast in front.
  const unsigned first = 11 + static_cast<unsigned>(bits & 0xFF) % 110;
  return fmt::format("{}.{}.{}.{}", first, (bits >> 8) & 0xFF, (bits >> 16) & 0xFF,
                     1 + ((bits >> 24) & 0xFF) % 254);
}

}  // namespace

NginxTraffic::Text NginxTraffic::make_text(std::string_view text) {
  Text made;
  made.size = static_cast<std::uint8_t>(std::min(text.size(), made.bytes.size()));
  std::memcpy(made.bytes.data(), text.data(), made.size);
  return made;
}

char* NginxTraffic::put(char* to, const Text& text) {
  std::memcpy(to, text.bytes.data(), text.bytes.size());
  return to + text.size;
}

NginxTraffic::NginxTraffic(const TrafficConfig& config) : config_(config) {
  config_.rate = std::max<std::uint64_t>(config_.rate, 1);
  config_.clients = std::clamp<std::uint64_t>(config_.clients, 1, 50'000'000);
  config_.hosts = std::clamp<std::uint64_t>(config_.hosts, 1, 1'000'000);
  config_.attackers = std::min<std::uint64_t>(config_.attackers, 100'000);
  build_clients();
  build_alias();
  for (std::uint64_t h = 0; h < config_.hosts; ++h)
    hosts_.push_back(make_text(fmt::format("api_{}.example.com", h)));
  for (int i = 0; i < 1024; ++i) {
    const double seconds = -std::log(1.0 - (i + 0.5) / 1024.0) * 0.12;
    request_times_.push_back(make_text(fmt::format("{:.2f}", std::max(seconds, 0.01))));
  }
  std::size_t at = 0;
  for (const Share& share : kStatusShares)
    for (int i = 0; i < share.of; ++i) statuses_[at++] = make_text(share.text);
  at = 0;
  for (const Share& share : kMethodShares)
    for (int i = 0; i < share.of; ++i) methods_[at++] = make_text(share.text);
  const double in_burst = static_cast<double>(config_.rate) * kBurstLasts;
  attack_share_ = static_cast<std::uint64_t>(std::min(0.5, kBurstRequests / in_burst) * 65536.0);
  attack_share_ = std::max<std::uint64_t>(attack_share_, 1);
}

void NginxTraffic::build_clients() {
  clients_.resize(config_.clients);
  for (std::uint64_t c = 0; c < config_.clients; ++c) {
    // Bijective in the low 32 bits before address_of, so nearly every client has its own address.
    const std::uint64_t bits = scramble(config_.seed * 0x9E3779B97F4A7C15ull + c);
    clients_[c].address = make_text(address_of(bits));
    const std::uint64_t skewed = ((bits >> 40) & 0xFF) * ((bits >> 48) & 0xFF) >> 8;
    clients_[c].country = static_cast<std::uint8_t>(skewed * kCountries.size() >> 8);
  }
  for (std::uint64_t a = 0; a < config_.attackers; ++a)
    attackers_.push_back(make_text(fmt::format("203.0.{}.{}", 113 + a / 254 % 140, 1 + a % 254)));
}

// Walker's alias method: one slot per client, each shared by at most two.
void NginxTraffic::build_alias() {
  const std::size_t n = clients_.size();
  std::vector<double> weight(n);
  double sum = 0;
  for (std::size_t c = 0; c < n; ++c) {
    weight[c] = std::pow(static_cast<double>(c) + 1 + kZipfShift, -config_.skew);
    sum += weight[c];
  }
  std::vector<std::uint32_t> small, large;
  for (std::size_t c = 0; c < n; ++c) {
    weight[c] *= static_cast<double>(n) / sum;
    clients_[c].alias = static_cast<std::uint32_t>(c);
    clients_[c].threshold = 0xFFFFFFFFu;
    (weight[c] < 1 ? small : large).push_back(static_cast<std::uint32_t>(c));
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    clients_[poor].threshold = static_cast<std::uint32_t>(weight[poor] * 4294967295.0);
    clients_[poor].alias = rich;
    weight[rich] -= 1 - weight[poor];
    if (weight[rich] >= 1) continue;
    large.pop_back();
    small.push_back(rich);
  }
}

std::size_t NginxTraffic::pick_client(std::uint64_t bits) const {
  const auto slot = static_cast<std::size_t>((bits >> 32) * clients_.size() >> 32);
  const Client& client = clients_[slot];
  return static_cast<std::uint32_t>(bits) <= client.threshold ? slot : client.alias;
}

EventTime NginxTraffic::time(std::uint64_t index) const {
  const std::uint64_t seconds = index / config_.rate;
  const std::uint64_t rest = index % config_.rate;
  return {config_.start.micros + static_cast<std::int64_t>(seconds) * kSecond +
          static_cast<std::int64_t>(rest * 1'000'000 / config_.rate)};
}

std::size_t NginxTraffic::write(std::uint64_t index, char* to) const {
  const std::uint64_t base = scramble(config_.seed ^ (index * 0x9E3779B97F4A7C15ull));
  const std::uint64_t one = scramble(base + 0xD1B54A32D192ED03ull);
  const std::uint64_t two = scramble(base ^ 0x8CB92BA72F3D8DD7ull);
  std::int64_t micros = time(index).micros;
  const std::int64_t second = (micros - config_.start.micros) / kSecond;

  const bool attack = !attackers_.empty() && second % kBurstEvery >= 20 &&
                      second % kBurstEvery < 20 + kBurstLasts && (two & 0xFFFF) < attack_share_;
  const auto burst = static_cast<std::size_t>(second / kBurstEvery);
  const auto storm = static_cast<std::uint64_t>(second / kStormEvery);
  const std::uint64_t host = attack ? burst % hosts_.size() : ((two >> 32) * hosts_.size()) >> 32;
  const bool stormy = second % kStormEvery >= 45 && second % kStormEvery < 45 + kStormLasts &&
                      host == scramble(config_.seed + storm) % hosts_.size() &&
                      ((one >> 8) & 0xFF) < 154;
  const Client& client = clients_[pick_client(base)];

  char* p = put_literal(to, R"({"server":"s_v)");
  *p++ = static_cast<char>('1' + (one & 0xFF) * 3 / 256);
  p = put_literal(p, R"(","client_ip":")");
  p = put(p, attack ? attackers_[burst % attackers_.size()] : client.address);
  p = put_literal(p, R"(","method":")");
  p = put(p, methods_[(one >> 16) & 63]);
  p = put_literal(p, R"(","status":")");
  if (stormy && !attack)
    p = put_literal(p, kStormStatuses[(one >> 24) & 3]);
  else
    p = put(p, statuses_[(one >> 24) & 0xFF]);
  p = put_literal(p, R"(","request_time":")");
  p = put(p, request_times_[(one >> 32) & 1023]);
  p = put_literal(p, R"(","host":")");
  p = put(p, hosts_[host]);
  p = put_literal(p, R"(","country":")");
  p = put_literal(p, attack ? kCountries[burst % kCountries.size()] : kCountries[client.country]);
  p = put_literal(p, R"(","@timestamp":")");
  if (config_.disorder.micros > 0)
    micros -= static_cast<std::int64_t>(
        (one >> 42) * (static_cast<std::uint64_t>(config_.disorder.micros) + 1) >> 22);
  micros = std::max<std::int64_t>(micros, 0);
  const auto whole = static_cast<std::uint64_t>(micros / kSecond);
  p = put_digits(p, whole, whole >= 10'000'000'000ull ? 12 : 10);
  *p++ = '.';
  p = put_digits(p, static_cast<std::uint64_t>(micros % kSecond), 6);
  p = put_literal(p, R"("})");
  return static_cast<std::size_t>(p - to);
}

}  // namespace streamd
