// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/json_text.h"

#include <charconv>
#include <cstring>

namespace streamd::mongo {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

void append_code_point(std::uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool has_control(std::string_view text) {
  bool found = false;
  for (const char c : text) found |= static_cast<unsigned char>(c) < 0x20;
  return found;
}

}  // namespace

bool JsonText::string(std::string& out) {
  if (!accept('"')) return false;
  const std::string_view left = rest();
  const void* quote = left.empty() ? nullptr : std::memchr(left.data(), '"', left.size());
  if (quote == nullptr) return false;
  const std::string_view plain =
      left.substr(0, static_cast<std::size_t>(static_cast<const char*>(quote) - left.data()));
  if (plain.find('\\') == std::string_view::npos) {
    if (has_control(plain)) return false;
    out += plain;
    at_ += plain.size() + 1;
    return true;
  }
  while (!at_end() && text_[at_] != '"') {
    const char c = text_[at_++];
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c != '\\')
      out.push_back(c);
    else if (!escape(out))
      return false;
  }
  return accept('"');
}

bool JsonText::hex4(std::uint32_t& code) {
  if (rest().size() < 4) return false;
  const char* begin = text_.data() + at_;
  const auto [end, problem] = std::from_chars(begin, begin + 4, code, 16);
  if (problem != std::errc() || end != begin + 4) return false;
  at_ += 4;
  return true;
}

bool JsonText::escape(std::string& out) {
  if (at_end()) return false;
  const char c = text_[at_++];
  switch (c) {
    case '"':
    case '\\':
    case '/': out.push_back(c); return true;
    case 'b': out.push_back('\b'); return true;
    case 'f': out.push_back('\f'); return true;
    case 'n': out.push_back('\n'); return true;
    case 'r': out.push_back('\r'); return true;
    case 't': out.push_back('\t'); return true;
    case 'u': break;
    default: return false;
  }
  std::uint32_t code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    const std::size_t behind = at_;
    std::uint32_t low = 0;
    if (word("\\u")) {
      if (!hex4(low)) return false;
      if (low >= 0xDC00 && low <= 0xDFFF) {
        append_code_point(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), out);
        return true;
      }
      at_ = behind;
    }
    code = kReplacement;
  } else if (code >= 0xDC00 && code <= 0xDFFF) {
    code = kReplacement;
  }
  append_code_point(code, out);
  return true;
}

bool JsonText::digits() {
  const std::size_t start = at_;
  while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
  return at_ > start;
}

std::string_view JsonText::number(bool& integral) {
  const std::size_t start = at_;
  integral = true;
  accept('-');
  if (!accept('0') && !digits()) return {};
  if (accept('.')) {
    integral = false;
    if (!digits()) return {};
  }
  if (accept('e') || accept('E')) {
    integral = false;
    if (!accept('+')) accept('-');
    if (!digits()) return {};
  }
  return text_.substr(start, at_ - start);
}

}  // namespace streamd::mongo
