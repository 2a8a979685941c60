// SPDX-License-Identifier: Apache-2.0
// `streamd plugin new`: a folder that builds, from plugins/sdk/templates.
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/embedded.h"
#include "engine/expr/function_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace streamd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 40;

int usage(const std::string& text, const std::string& hint) {
  fmt::print(stderr, "error: {}\n  {}\n", text, hint);
  return kExitUsage;
}

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kLongestName && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_taken(const PluginNewArguments& arguments, const Registry& registry) {
  const auto among = [&](const auto& components) {
    return std::any_of(components.begin(), components.end(), [&](const auto& component) {
      return component.view.type == arguments.name;
    });
  };
  if (arguments.kind == "operator") return among(registry.operators());
  if (arguments.kind == "source") return among(registry.sources());
  if (arguments.kind == "function") return !expr::is_free_for_function(arguments.name);
  return arguments.kind == "sink" && among(registry.sinks());
}

std::string with_article(const std::string& kind) {
  return (kind == "operator" ? "an " : "a ") + kind;
}

// click_rate: ClickRate.
std::string class_name(std::string_view name) {
  std::string made;
  bool first = true;
  for (const char c : name) {
    if (c != '_') made += first && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    first = c == '_';
  }
  return made;
}

std::string summary_of(std::string_view kind) {
  if (kind == "operator") return "An operator that adds the length of a text to each record.";
  if (kind == "source") return "A source that counts.";
  if (kind == "sink") return "A sink that appends records to a file, as lines of JSON.";
  return "A function for expressions that counts the vowels of a text.";
}

// The template without its first line, which is about streamd's licence.
std::string filled(std::string_view text, const PluginNewArguments& arguments) {
  if (text.substr(0, text.find('\n')).find("SPDX") != std::string_view::npos)
    text.remove_prefix(text.find('\n') + 1);
  const std::pair<std::string_view, std::string> words[] = {
      {"plugin_name", arguments.name},
      {"PluginName", class_name(arguments.name)},
      {"@suffix@", arguments.language == "c" ? "c" : "cc"},
      {"@summary@", summary_of(arguments.kind)}};
  std::string made(text);
  for (const auto& [word, value] : words)
    for (auto at = made.find(word); at != std::string::npos;
         at = made.find(word, at + value.size()))
      made.replace(at, word.size(), value);
  return made;
}

struct NewFile {
  std::string name;
  std::string_view text;
};

// common/operator_test.cc is NAME_test.cc, and common/operator.input.txt is input.txt.
std::vector<NewFile> files_of(const PluginNewArguments& arguments) {
  const auto& [name, kind, language, folder] = arguments;
  const std::pair<std::string, std::string> names[] = {
      {"common/CMakeLists.txt", "CMakeLists.txt"},
      {"common/README.md", "README.md"},
      {fmt::format("{}/{}.{}", language, kind, language == "c" ? "c" : "cc"),
       name + (language == "c" ? ".c" : ".cc")},
      {fmt::format("common/{}_test.cc", kind), name + "_test.cc"},
      {fmt::format("common/{}.yaml", kind), name + ".yaml"},
      {fmt::format("common/{}.test.yaml", kind), name + ".test.yaml"},
      {fmt::format("common/{}.input.txt", kind), "input.txt"}};
  std::vector<NewFile> files;
  for (const auto& [path, file] : names)
    for (const auto& embedded : plugin_templates())
      if (embedded.path == path) files.push_back({file, embedded.text});
  return files;
}

}  // namespace

int plugin_new_command(const PluginNewArguments& arguments, const Registry& registry) {
  const std::string& name = arguments.name;
  if (!is_name(name))
    return usage(fmt::format("\"{}\" is no name for a plugin", name),
                 fmt::format("use lower case letters, digits and _, a letter first, at most {}",
                             kLongestName));
  if (is_taken(arguments, registry))
    return usage(
        arguments.kind == "function"
            ? fmt::format("\"{}\" is a word or function of expressions already", name)
            : fmt::format("streamd has {} \"{}\" already", with_article(arguments.kind), name),
        "choose another name");
  const fs::path folder = arguments.folder.empty() ? fs::path(name) : fs::path(arguments.folder);
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error)))
    return usage(fmt::format("{} is there already", folder.string()),
                 "choose another name, or another folder with --folder");
  fs::create_directories(folder, error);
  if (error) {
    fmt::print(stderr, "error: {}: {}\n", folder.string(), error.message());
    return kExitFailed;
  }
  for (const NewFile& file : files_of(arguments)) {
    std::ofstream out(folder / file.name, std::ios::binary);
    out << filled(file.text, arguments);
    out.close();
    if (out) continue;
    fmt::print(stderr, "error: {}: {}\n", (folder / file.name).string(), std::strerror(errno));
    return kExitFailed;
  }
  fmt::print(
      "{0}/ holds a plugin with {1}. Next:\n\n  cd {0}\n  cmake -B build && cmake --build "
      "build && ctest --test-dir build\n  streamd run {2}.yaml\n",
      folder.string(), with_article(arguments.kind), name);
  return kExitDone;
}

}  // namespace streamd
