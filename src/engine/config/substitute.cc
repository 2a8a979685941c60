// SPDX-License-Identifier: Apache-2.0
#include "engine/config/substitute.h"

#include <cstdlib>
#include <fstream>

namespace streamd {
namespace {

constexpr std::string_view kFilePrefix = "file:";
constexpr int kDeepest = 16;

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
      return false;
  return true;
}

Result<std::string> read_file(const Surroundings& surroundings, const std::string& path) {
  if (path.empty())
    return fail(ErrorKind::config, "${file:} names no file", "write ${file:/run/secrets/name}");
  auto content = surroundings.file(path);
  if (!content) return content;
  if (!content->empty() && content->back() == '\n') content->pop_back();
  if (!content->empty() && content->back() == '\r') content->pop_back();
  return content;
}

// Where the } stands that closes what began before `text`: a ${…} in a default has one of its own.
Result<std::size_t> closing(std::string_view text) {
  int open = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view two = text.substr(at, 2);
    if (two == "$$" || two == "${") ++at;
    if (two == "${" && ++open > kDeepest)
      return fail(ErrorKind::config,
                  "\"${\" stands in more than " + std::to_string(kDeepest - 1) + " others",
                  "take fewer defaults, or write $$ for a dollar sign");
    if (text[at] == '}' && --open == 0) return at;
  }
  return fail(ErrorKind::config, "\"${\" is never closed", "add }, or write $$ for a dollar sign");
}

// `inside` is what stands between ${ and }.
Result<std::string> resolve(std::string_view inside, const Surroundings& surroundings) {
  if (inside.substr(0, kFilePrefix.size()) == kFilePrefix)
    return read_file(surroundings, std::string(inside.substr(kFilePrefix.size())));
  const std::size_t colon = inside.find(":-");
  const std::string name(inside.substr(0, colon));
  if (!is_name(name))
    return fail(ErrorKind::config, "\"${" + std::string(inside) + "}\" is no variable",
                "write ${NAME}, ${NAME:-default} or ${file:/path}; $$ gives a dollar sign");
  const auto value = surroundings.variable(name);
  if (colon != std::string_view::npos) {
    if (value && !value->empty()) return *value;
    auto otherwise = substitute(inside.substr(colon + 2), surroundings);
    if (!otherwise) return tl::unexpected(std::move(otherwise).error());
    return std::move(otherwise->text);
  }
  if (!value)
    return fail(ErrorKind::config, "variable \"" + name + "\" is not set",
                "set it in the environment, or write ${" + name + ":-default}");
  return *value;
}

}  // namespace

Result<Substituted> substitute(std::string_view text, const Surroundings& surroundings) {
  Substituted out;
  while (true) {
    const std::size_t dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return out;
    text.remove_prefix(dollar + 1);
    if (text.empty() || (text[0] != '{' && text[0] != '$')) {
      out.text += '$';
      continue;
    }
    if (text[0] == '$') {
      out.text += '$';
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    auto close = closing(text);
    if (!close) return tl::unexpected(std::move(close).error());
    auto value = resolve(text.substr(0, *close), surroundings);
    if (!value) return tl::unexpected(std::move(value).error());
    out.text += *value;
    out.changed = true;
    text.remove_prefix(*close + 1);
  }
}

Surroundings process_surroundings() {
  constexpr std::size_t kLargestFile = 64 * 1024;
  const auto variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const auto file = [](const std::string& path) -> Result<std::string> {
    std::ifstream in(path, std::ios::binary);
    std::string content(kLargestFile + 1, '\0');
    if (in) in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad() || !in.is_open() || (in.gcount() == 0 && !in.eof()))
      return fail(ErrorKind::config, "cannot read file \"" + path + "\"",
                  "check that it exists and may be read by this user");
    content.resize(static_cast<std::size_t>(in.gcount()));
    if (content.size() > kLargestFile)
      return fail(ErrorKind::config, "file \"" + path + "\" is larger than 64KiB");
    return content;
  };
  return {variable, file};
}

}  // namespace streamd
