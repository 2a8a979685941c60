// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/config/reference.h"
#include "engine/expr/functions.h"
#include "engine/plan/source_common.h"
#include "engine/testing/test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace streamd {
namespace fs = std::filesystem;
namespace {

CommonKeys common_keys() {
  return {source_common_spec().view(), node_common_spec().view(), list_common_spec().view()};
}

// "sources" on the command line, "source" in a spec.
std::string kind_of(const std::string& section) {
  return section.empty() ? section : section.substr(0, section.size() - 1);
}

// With what makes it a schema of its own.
std::string test_schema() {
  const std::string schema = object_schema(testing::test_file_spec().view());
  return R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"streamd tests",)" +
         schema.substr(1);
}

}  // namespace

int list_command(const std::string& kind, bool json, const Registry& registry) {
  fmt::print("{}", json ? list_json(registry, kind_of(kind)) : list_table(registry, kind_of(kind)));
  return kExitDone;
}

int schema_command(bool tests, const Registry& registry) {
  fmt::print("{}\n", tests ? test_schema() : pipeline_json_schema(registry, common_keys()));
  return kExitDone;
}

namespace {

std::map<std::string, std::string> all_pages(const Registry& registry) {
  auto pages = reference_pages(registry, common_keys());
  const auto& file = testing::test_file_spec().view();
  const auto& a_case = testing::case_spec().view();
  SpecView own = a_case;  // what a case has beside the keys of a step
  const auto step = testing::step_spec().view().field_names();
  std::erase_if(own.fields, [&](const FieldView& field) {
    return std::find(step.begin(), step.end(), field.name) != step.end();
  });
  pages["tests.md"] = file_page(
      "The test file", file.summary + " A tour of it is docs/guide/testing.md.",
      {{"Top level", file},
       {"Every case", own},
       {"Every step, and every case as its own last step", testing::step_spec().view()},
       {"A record", NestedSpec<testing::Given>::spec().view()},
       {"What is expected at a place", testing::expected_spec().view()},
       {"An entry of a list", NestedSpec<testing::Entry>::spec().view()},
       {"An answer of a service or a file", NestedSpec<testing::ServiceAnswer>::spec().view()}});
  return pages;
}

int write_reference(const std::string& folder, bool compare, const Registry& registry) {
  int code = kExitDone;
  for (const auto& [path, text] : all_pages(registry)) {
    const fs::path file = fs::path(folder) / path;
    if (compare) {
      std::ifstream in(file, std::ios::binary);
      std::ostringstream found;
      found << in.rdbuf();
      if (found.str() == text) continue;
      fmt::print(stderr, "error: {} is not current\n  = help: run ./dev docs\n", file.string());
      code = kExitFailed;
      continue;
    }
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    std::ofstream out(file, std::ios::binary);
    if (!(out << text)) {
      fmt::print(stderr, "error: cannot write {}\n", file.string());
      return kExitFailed;
    }
  }
  return code;
}

}  // namespace

int docs_command(const std::string& type, const std::string& write_to, bool compare,
                 const Registry& registry) {
  if (!write_to.empty()) return write_reference(write_to, compare, registry);
  if (type.empty()) {
    fmt::print("{}\nstreamd docs TYPE prints all of one of them.\n", list_table(registry));
    return kExitDone;
  }
  bool found = false;
  for (const auto& [path, text] : all_pages(registry))
    if (fs::path(path).stem() == type) {
      fmt::print("{}", text);
      found = true;
    }
  for (const auto& group : expr::function_groups())
    for (const auto& function : group.functions)
      if (function.name == type) {
        fmt::print("{}\n  {}\n  {}\n", signature(function), function.help, function.example);
        found = true;
      }
  if (found) return kExitDone;
  fmt::print(stderr,
             "error: no component of type \"{}\"\n  = help: streamd list shows all; streamd docs "
             "expressions is the language of conditions\n",
             type);
  return kExitUsage;
}

}  // namespace streamd
