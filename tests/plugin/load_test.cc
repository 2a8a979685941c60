// SPDX-License-Identifier: Apache-2.0
#include "plugin/load.h"

#include "operators/builtin_operators.h"
#include "tests/contract/component.h"
#include "tests/plugin/subject.h"

#include <filesystem>
#include <sys/stat.h>

namespace streamd::test {
namespace {

namespace fs = std::filesystem;

std::string module(const std::string& name) {
  return std::string(STREAMD_TEST_MODULES) + "/" + name + ".so";
}

std::string refusal(const std::string& path) {
  Registry registry;
  add_builtin_operators(registry);
  const std::size_t before = registry.operators().size();
  const Status added = plugin::add_plugin(path, registry);
  CHECK(registry.operators().size() == before + (added ? 1 : 0));
  if (added) return "";
  CHECK(added.error().kind == ErrorKind::plugin);
  CHECK(added.error().message.find(path) != std::string::npos);
  CHECK_FALSE(added.error().hint.empty());
  return added.error().message;
}

// A copy of a good plugin that may be spoilt.
struct Copy {
  TempDir folder;
  std::string path = folder.file("copy.so");
  Copy() { fs::copy_file(module("refused_longer"), path); }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a plugin is refused for what is wrong with its table", "[plugin]") {
  CHECK(
      has(refusal(module("refused_abi")), "it is built for plugin ABI 2, and this streamd has 1"));
  CHECK(has(refusal(module("refused_no_symbol")), "it has no symbol streamd_plugin"));
  CHECK(has(refusal(module("refused_nothing")), "streamd_plugin() returns nothing"));
  CHECK(has(refusal(module("refused_no_call")), "\"fine\" lacks a call that it must have"));
  CHECK(has(refusal(module("refused_short")), "a component is too short"));
  CHECK(has(refusal(module("refused_undefined")), "streamd_test_symbol_that_nobody_has"));
  CHECK(has(refusal(module("refused_taken")), "operator \"filter\" is there already, built in"));
}

TEST_CASE("a plugin with members that this version does not know is loaded", "[plugin]") {
  CHECK(refusal(module("refused_longer")).empty());
}

TEST_CASE("a file that is no plugin is refused before its code runs", "[plugin]") {
  const TempDir folder;
  CHECK(has(refusal(folder.file("nowhere.so")), "No such file"));
  CHECK(has(refusal(folder.path()), "it is not a file"));
  write_file(folder.file("text.so"),
             "#!/bin/sh\necho no plugin at all, but long enough to be read\n");
  CHECK(has(refusal(folder.file("text.so")), "it is not a shared library"));
  write_file(folder.file("empty.so"), "");
  CHECK(has(refusal(folder.file("empty.so")), "it is not a shared library"));
}

TEST_CASE("a plugin for another architecture is refused", "[plugin]") {
  const Copy copy;
  std::string bytes = read_file(copy.path);
  bytes[18] = static_cast<char>(0xF3);  // e_machine: RISC-V
  bytes[19] = 0;
  write_file(copy.path, bytes);
  CHECK(has(refusal(copy.path), "it is built for riscv"));
}

TEST_CASE("a plugin that everybody may change is refused", "[plugin]") {
  const Copy copy;
  fs::permissions(copy.path, fs::perms(0666));
  CHECK(has(refusal(copy.path), "every user of this machine may change the file"));
  fs::permissions(copy.path, fs::perms(0644));
  fs::permissions(copy.folder.path(), fs::perms(0777));
  CHECK(has(refusal(copy.path), "every user of this machine may replace the file"));
}

TEST_CASE("the same file is loaded once, two plugins of one name are not", "[plugin]") {
  Registry registry;
  REQUIRE(plugin::add_plugin(module("refused_longer"), registry));
  REQUIRE(plugin::add_plugin(module("../modules/refused_longer"), registry));
  CHECK(registry.operators().size() == 1);
  const Copy copy;
  const Status second = plugin::add_plugin(copy.path, registry);
  REQUIRE_FALSE(second);
  CHECK(has(second.error().message, "operator \"fine\" is there already, from plugin \"fine\""));
}

TEST_CASE("tables that make no sense are found out", "[plugin]") {
  sd_plugin table = *subject().table;
  CHECK(plugin::wrong_with(&table).empty());
  table.size -= 8;
  CHECK(plugin::wrong_with(&table) == "its table is too short");
  table = *subject().table;
  table.operators = nullptr;
  CHECK(plugin::wrong_with(&table) == "a list of components is missing");
  table = *subject().table;
  table.name = {};
  CHECK(plugin::wrong_with(&table) == "it has no name");

  sd_operator op = *subject().table->operators[0];
  const sd_operator* const ops[] = {&op};
  table = *subject().table;
  table.operators = ops;
  table.operator_count = 1;
  op.output_count = 1;
  op.outputs = nullptr;
  CHECK(has(plugin::wrong_with(&table), "has no outputs where 1 are said to be"));
  op = *subject().table->operators[0];
  sd_spec spec = *op.spec;
  op.spec = &spec;
  spec.type = {};
  CHECK(has(plugin::wrong_with(&table), "has no type"));
  sd_function function = *subject().table->functions[0];
  const sd_function* const functions[] = {&function};
  table = *subject().table;
  table.functions = functions;
  table.function_count = 1;
  function.max_args = 0;
  CHECK(has(plugin::wrong_with(&table), "the arguments of twice() make no sense"));
}

TEST_CASE("plugins are looked for in files and folders", "[plugin]") {
  const TempDir folder;
  fs::create_directory(folder.file("sub"));
  for (const char* name : {"sub/b.so", "sub/a.so", "sub/readme.txt", "single.so"})
    write_file(folder.file(name), "");
  const auto found = plugin::find_plugins(folder.file("sub") + ":" + folder.file("nowhere") +
                                          "::" + folder.file("single.so"));
  CHECK(found == std::vector<std::string>{folder.file("sub/a.so"), folder.file("sub/b.so"),
                                          folder.file("single.so")});
}

}  // namespace
}  // namespace streamd::test
