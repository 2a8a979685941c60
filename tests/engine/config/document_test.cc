// SPDX-License-Identifier: Apache-2.0
#include "engine/config/document.h"

#include "engine/config/yaml.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

Surroundings nothing() {
  return {[](const std::string&) { return std::optional<std::string>(); },
          [](const std::string&) -> Result<std::string> { return std::string(); }};
}

std::vector<std::string> messages(std::string_view text) {
  Diagnostics problems;
  auto root = parse_yaml(text, 0, nothing(), problems);
  REQUIRE(root);
  read_document(*root, problems);
  std::vector<std::string> out;
  for (const auto& p : problems.all()) out.push_back(p.message);
  return out;
}

using Messages = std::vector<std::string>;

}  // namespace

TEST_CASE("a document lists its nodes in the order of the file") {
  Diagnostics problems;
  auto root = parse_yaml(
      "pipeline: nginx\n"
      "sources: {a: {type: x}}\n"
      "operators: {c: {type: x}, b: {type: y}}\n"
      "sinks: {d: {type: z}}\n"
      "dead_letters: d\n"
      "checkpoint: {every: 500ms}\n",
      0, nothing(), problems);
  const Document document = read_document(*root, problems);
  CHECK(problems.errors() == 0);
  CHECK(document.pipeline == "nginx");
  REQUIRE(document.nodes.size() == 4);
  CHECK(document.nodes[1].name == "c");
  CHECK(document.nodes[3].section == Section::sinks);
  CHECK(document.dead_letters == "d");
  CHECK(document.checkpoint_every == Duration::from_millis(500));
}

TEST_CASE("plugins are one file or a list of files") {
  const auto paths = [](const std::string& text) {
    Diagnostics problems;
    const auto root = parse_yaml(text, 0, {}, problems);
    std::string all;
    for (const auto& plugin : read_plugins(*root, problems))
      all += plugin.path + "@" + std::to_string(plugin.place.column) + " ";
    for (const auto& problem : problems.all()) all += problem.message;
    return all;
  };
  CHECK(paths("plugins: a.so") == "a.so@10 ");
  CHECK(paths("plugins: [a.so, b.so]") == "a.so@11 b.so@17 ");
  CHECK(paths("plugins:").empty());
  CHECK(paths("pipeline: a").empty());
  CHECK(paths("plugins: {a: b}") == "expected text, got a map");
}

TEST_CASE("mistakes of the top level are reported") {
  CHECK(messages("sources: {}") == Messages{"\"pipeline\" is missing"});
  CHECK(messages("pipeline: Nginx!") == Messages{"\"Nginx!\" cannot name a pipeline"});
  CHECK(messages("pipeline: ../x") == Messages{"\"../x\" cannot name a pipeline"});
  CHECK(messages("pipeline: a\nsource: {}") == Messages{"unknown key \"source\""});
  CHECK(messages("pipeline: a\nlists: {1a: {type: x}}") == Messages{"\"1a\" cannot name a list"});
  CHECK(messages("pipeline: a\nsinks: [x]") ==
        Messages{"expected a map of name: settings, got a list"});
  CHECK(messages("pipeline: a\nsinks: {1a: {type: x}}") == Messages{"\"1a\" cannot name a sink"});
  CHECK(messages("pipeline: a\nsinks: {a.b: {type: x}}") == Messages{"\"a.b\" cannot name a sink"});
  CHECK(messages("pipeline: a\nsinks: {a: }") ==
        Messages{"sink \"a\": expected a map, got nothing"});
  CHECK(messages("pipeline: a\ncheckpoint: {every: 1ms}") ==
        Messages{"every must be at least 10ms"});
  CHECK(messages("pipeline: a\nx-defaults: {a: 1}").empty());
  CHECK(messages("[a]") == Messages{"a pipeline file is a map"});
}
