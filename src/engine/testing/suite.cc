// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/suite.h"

#include "engine/config/document.h"
#include "engine/config/yaml.h"
#include "engine/plan/build.h"
#include "engine/plan/secrets.h"
#include "engine/testing/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

namespace streamd::testing {
namespace fs = std::filesystem;
namespace {

// Only what the test gives: the same on every machine.
Surroundings surroundings_of(const TestFile& file, std::set<std::string>& asked) {
  Surroundings surroundings;
  surroundings.variable = [&](const std::string& name) -> std::optional<std::string> {
    asked.insert(name);
    const std::string* value = find(file.env, name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  surroundings.file = [&](const std::string& path) -> Result<std::string> {
    const std::string name = "file:" + path;
    asked.insert(name);
    if (const std::string* value = find(file.env, name)) return *value;
    return fail(ErrorKind::config, fmt::format("a test reads no file \"{}\"", path),
                fmt::format("give its content in the test file: env: {{\"{}\": …}}", name));
  };
  return surroundings;
}

void take_over(const Diagnostics& found, Diagnostics& problems) {
  for (const auto& p : found.all()) {
    // What is to be done is another thing here than in a run.
    const bool unset = p.code == "variable" && p.message.ends_with("is not set");
    const std::string hint = unset ? "give it in the test file, below env:" : p.hint;
    if (p.severity == Severity::error)
      problems.error(p.code, p.place, p.message, hint);
    else
      problems.warning(p.code, p.place, p.message, hint);
  }
}

NamedList<EntryList> lists_of(const TestFile& file, const Case& the_case) {
  NamedList<EntryList> lists = file.lists;
  each_step(the_case, [&](const Step& step) {
    for (const auto& [name, place, entries] : step.lists)
      if (find(lists, name) == nullptr) lists.push_back({name, place, {}});
  });
  return lists;
}

void make_benches(Suite& suite, const Plan& plan, const Registry& registry) {
  for (const Case& c : suite.file.cases) {
    Diagnostics found;
    auto bench = make_bench(suite.document, registry, places_of(c, plan),
                            asking_of(suite.file, c, plan), lists_of(suite.file, c), found);
    if (!bench) {
      // A port that is not there: the plan says which.
      for (const auto& p : found.all())
        if (p.severity == Severity::error)
          suite.problems.error(p.code, c.where.place,
                               fmt::format("case {}: {}", json_quote(c.name), p.message), p.hint);
      continue;
    }
    check_fields(c, *bench, suite.problems);
    suite.benches.push_back(std::move(*bench));
  }
}

// Where the text of the pipeline is found, or an error.
bool read_pipeline(Suite& suite, const ConfigNode& root, ReadFile read) {
  const ConfigNode* named = root.find("pipeline");
  const Place place = named == nullptr ? root.place : named->place;
  if (suite.file.pipeline.empty())
    suite.pipeline_path = pipeline_beside(suite.path);
  else
    suite.pipeline_path =
        (fs::path(suite.path).parent_path() / suite.file.pipeline).lexically_normal().string();
  if (suite.pipeline_path.empty()) {
    suite.problems.error("missing-key", place, "the pipeline is not named",
                         "add pipeline: NAME.yaml, or call the file NAME.test.yaml");
    return false;
  }
  const auto text = read(suite.pipeline_path);
  if (!text) {
    suite.problems.error("no-pipeline", place,
                         fmt::format("cannot read the pipeline file \"{}\"", suite.pipeline_path),
                         "pipeline: names it, from the folder of this file");
    return false;
  }
  suite.texts.push_back({suite.pipeline_path, *text});
  return true;
}

void load_pipeline(Suite& suite, const ConfigNode& root, Registry registry,
                   AddPlugins add_plugins) {
  Diagnostics found;
  std::set<std::string> asked;
  auto document = parse_yaml(suite.texts[1].text, 1, surroundings_of(suite.file, asked), found);
  std::optional<Plan> plan;
  if (document) {
    suite.document = std::move(*document);
    if (add_plugins == nullptr ||
        add_plugins(suite.document, suite.pipeline_path, registry, found)) {
      suite.secrets.places = secret_places(suite.document, registry);
      plan = build_plan(suite.document, registry, found);
    }
  }
  take_over(found, suite.problems);
  for (const auto& [name, place, value] : suite.file.env)
    if (document && !asked.contains(name))
      suite.problems.warning(
          "unused-variable", place,
          fmt::format("the pipeline has no variable {}", json_quote(name)),
          closest(name, {asked.begin(), asked.end()}).empty()
              ? "remove it"
              : fmt::format("did you mean \"{}\"?", closest(name, {asked.begin(), asked.end()})));
  if (!plan || found.errors() > 0) return;
  for (const auto& node : read_document(suite.document, found).nodes)
    if (node.section != Section::lists) suite.nodes.push_back(node.name);
  check_names(suite.file, *plan, suite.document, root.place, suite.problems);
  if (suite.good()) make_benches(suite, *plan, registry);
}

}  // namespace

std::string pipeline_beside(const std::string& test_path) {
  constexpr std::string_view kEnding = ".test.yaml";
  if (!test_path.ends_with(kEnding) || test_path.size() == kEnding.size()) return {};
  return test_path.substr(0, test_path.size() - kEnding.size()) + ".yaml";
}

std::unique_ptr<Suite> load_suite(const std::string& path, const Registry& registry, ReadFile read,
                                  AddPlugins add_plugins) {
  auto suite = std::make_unique<Suite>();
  suite->path = path;
  suite->secrets.names = secret_names(registry);
  const auto text = read(path);
  if (!text) {
    suite->problems.error("no-test-file", {0, 0, 0, 1},
                          fmt::format("cannot read the test file \"{}\"", path));
    return suite;
  }
  suite->texts.push_back({path, *text});
  const auto root = parse_yaml(*text, 0, {}, suite->problems);
  if (!root) return suite;
  auto file = read_test_file(*root, suite->problems);
  if (!file) return suite;
  suite->file = std::move(*file);
  const bool env_is_known =
      root->find("env") == nullptr || !suite->file.env.empty() || suite->good();
  if (env_is_known && read_pipeline(*suite, *root, read))
    load_pipeline(*suite, *root, registry, add_plugins);
  return suite;
}

std::vector<CaseResult> run_suite(Suite& suite, const std::string& filter) {
  using Clock = std::chrono::steady_clock;
  std::vector<CaseResult> results;
  for (std::size_t i = 0; i < suite.file.cases.size(); ++i) {
    const Case& c = suite.file.cases[i];
    if (c.name.find(filter) == std::string::npos) continue;
    CaseResult result;
    result.the_case = &c;
    const auto began = Clock::now();
    result.run = run_case(suite.file, c, suite.benches[i]);
    result.findings = findings_of(result.run, c);
    result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    results.push_back(std::move(result));
  }
  return results;
}

Diagnostics unused_answers(const Suite& suite, const std::vector<CaseResult>& results) {
  Diagnostics told;
  if (results.size() < suite.file.cases.size()) return told;
  for (const auto& [node, place, answers] : suite.file.answers)
    for (const auto& answer : answers.items) {
      const bool used = std::any_of(results.begin(), results.end(), [&](const CaseResult& result) {
        return result.run.answered.contains(&answer);
      });
      if (!used && answer.key.empty())
        told.warning("unused-answer", answer.place,
                     fmt::format("{} asks for this answer in no case", json_quote(node)),
                     "remove it, or look whether an answer before it fits all questions");
    }
  return told;
}

AllBooks books_of(const std::vector<CaseResult>& results) {
  AllBooks all;
  for (const auto& result : results)
    for (const auto& [name, books] : result.run.books) all[name] = all[name] + books;
  return all;
}

}  // namespace streamd::testing
