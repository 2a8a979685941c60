// SPDX-License-Identifier: Apache-2.0
#include "bigrams.h"

#include <streamd/plugin.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace dga_score {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_vowel(char c) { return std::string_view("aeiouy").find(c) != std::string_view::npos; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The part that its owner has chosen: of www.example.co.uk the word example.
std::string_view chosen_part(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  const auto last = name.rfind('.');
  if (last == std::string_view::npos) return name;
  name.remove_suffix(name.size() - last);
  const auto cut = [&] {
    const auto dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
  };
  constexpr std::array<std::string_view, 8> kSecond = {"ac", "co",  "com", "edu",
                                                       "go", "gov", "net", "org"};
  std::string_view part = cut();
  if (part.size() < name.size() &&
      std::find(kSecond.begin(), kSecond.end(), part) != kSecond.end()) {
    name.remove_suffix(part.size() + 1);
    part = cut();
  }
  return part;
}

double half_bits(char before, char after) {
  const int row = before == 0 ? 0 : before - 'a' + 1;
  return kBigrams[row][after == 0 ? 26 : after - 'a'] - 'A';
}

struct Looks {
  double bits = 0;     // mean surprise of a letter after the one before
  double digits = 0;   // share
  double entropy = 0;  // bits per character
  double run = 0;      // longest row without a vowel
};

Looks look(std::string_view name) {
  Looks looks;
  std::array<unsigned, 256> counts{};
  double half = 0, steps = 0, run = 0;
  char before = 0;  // 0: the beginning of a word
  for (const char raw : name) {
    const char c = lower(raw);
    ++counts[static_cast<unsigned char>(c)];
    if (is_digit(c)) {
      looks.digits += 1;
      half += 12;
    } else if (is_letter(c)) {
      half += half_bits(before, c);
    }
    before = is_letter(c) ? c : 0;
    if (!is_digit(c) && !is_letter(c)) {
      run = 0;
      continue;
    }
    ++steps;
    run = is_vowel(c) ? 0 : run + 1;
    looks.run = std::max(looks.run, run);
  }
  if (before != 0) {
    half += half_bits(before, 0);
    ++steps;
  }
  const auto size = static_cast<double>(name.size());
  looks.bits = half / 2 / std::max(1.0, steps);
  looks.digits /= size;
  for (const unsigned count : counts)
    if (count > 0) looks.entropy -= count / size * std::log2(count / size);
  return looks;
}

// Weights of a logistic regression over words, names of packages and letters drawn by lot.
double dga_score(std::string_view domain) {
  const std::string_view name = chosen_part(domain);
  if (name.empty()) return 0;
  const Looks looks = look(name);
  const double length = std::min(static_cast<double>(name.size()), 30.0);
  const double sum = -5.2095 + 4.3812 * (looks.bits - 4) - 0.4769 * (length - 10) / 10 +
                     1.8787 * looks.digits + 2.0213 * (looks.entropy - 3) +
                     1.7355 * (std::min(looks.run, 8.0) - 3) / 4;
  return 1 / (1 + std::exp(-sum));
}

}  // namespace
}  // namespace dga_score

STREAMD_PLUGIN(sd::plugin("dga_score", "1.0.0", "How machine-made a domain name looks.")
                   .function<&dga_score::dga_score>(
                       "dga_score",
                       "dga_score(name): how much a domain name looks as if a program had made it, "
                       "from 0 to 1."))
