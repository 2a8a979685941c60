// SPDX-License-Identifier: Apache-2.0
#include "engine/match/question.h"

#include <charconv>

namespace streamd {
namespace {

void set(Question& question, const IpAddress& address) {
  question.kind = address.v6 ? Question::Kind::v6 : Question::Kind::v4;
  question.v4 = static_cast<std::uint32_t>(address.bits);
  question.bits = address.bits;
}

void set(Question& question, const IpNetwork& network) {
  question.kind = Question::Kind::network;
  question.v6 = network.first.v6;
  question.prefix = static_cast<std::uint8_t>(network.prefix);
  question.bits = network.first.bits;
}

bool may_be_address(std::string_view text) {
  if (text.size() < 2 || text.size() > 49) return false;
  const char c = text.front();
  const char lower = static_cast<char>(c | 0x20);
  return (c >= '0' && c <= '9') || c == ':' || (lower >= 'a' && lower <= 'f');
}

}  // namespace

Question question_of(std::string_view text) {
  Question question;
  question.text = text;
  if (text.empty()) return question;
  question.kind = Question::Kind::text;
  if (!may_be_address(text)) return question;
  if (parse_v4(text, question.v4)) {
    question.kind = Question::Kind::v4;
  } else if (text.find_first_of(":/") != std::string_view::npos) {
    if (const auto address = parse_address(text))
      set(question, *address);
    else if (const auto network = parse_network(text))
      set(question, *network);
  }
  return question;
}

Question question_of(const Value& value, QuestionDigits& digits) {
  Question question;
  const auto number = [&](auto written) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), written).ptr;
    question =
        question_of(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  };
  switch (value.kind()) {
    case streamd::Kind::string: return question_of(value.text());
    case streamd::Kind::ip:
      if (const auto address = address_of(value.text())) set(question, *address);
      break;
    case streamd::Kind::cidr:
      if (const auto network = network_of(value.text())) set(question, *network);
      break;
    case streamd::Kind::int64: number(value.as_int()); break;
    case streamd::Kind::uint64: number(value.as_uint()); break;
    default: break;
  }
  return question;
}

}  // namespace streamd
