// SPDX-License-Identifier: Apache-2.0
// The keys of a test file: of the file, of a case, of a step.
#include "engine/testing/test_file.h"

#include <fmt/format.h>

#include <concepts>
#include <set>

namespace streamd::testing {
namespace {

// A step's keys, for a step and for the case that is one itself.
template <std::derived_from<Step> C>
void add_step_fields(Spec<C>& spec) {
  const auto add = [&spec]<class T>(T Step::*member, FieldDoc doc) {
    spec.field(static_cast<T C::*>(member), std::move(doc));
  };
  add(&Step::restart,
      {.name = "restart",
       .help = "First the process is killed as by kill -9 and begins again at its last checkpoint. "
               "One is taken after half of the records of each `in`, after each `after` and before "
               "each `expect`; what came later is read again."});
  add(&Step::answers, {.name = "answers",
                       .help = "Then these `enrich` operators, and these sources that ask over "
                               "HTTP (`http`, `shodan`), get these answers, the first that fits "
                               "each question. Each of a case's answers has to be asked for.",
                       .examples = {"{known: [{path: /hosts/192.0.2.7, json: {owner: Ann}}]}"}});
  add(&Step::lists, {.name = "lists",
                     .help = "Then these lists of the pipeline have these entries: texts, or maps "
                             "with value, type, scenario, …",
                     .examples = {"{blocklist: [192.0.2.7, 198.51.100.0/24]}"}});
  add(&Step::fails, {.name = "fails",
                     .help = "The next so many writes and flushes of these sinks fail for now; the "
                             "engine tries them again.",
                     .examples = {"{alerts: 2}"}});
  add(&Step::in, {.name = "in",
                  .help = "Then these sources hand out these records: a list of texts, of maps "
                          "(JSON objects), or of maps with `record`, `at`, `repeat`, `every` and "
                          "`partition`; or a block of lines.",
                  .examples = {"{requests: [{status: 404}]}"}});
  add(&Step::after,
      {.name = "after", .help = "Then the virtual clock goes on by so much.", .examples = {"30s"}});
  add(&Step::end,
      {.name = "end",
       .help = "Then all sources end, as a file does that is not followed: every window "
               "closes. Nothing can come after it."});
  add(&Step::expect,
      {.name = "expect",
       .help =
           "Last, what has come to these places since they were looked at last: nodes, ports "
           "(`name.late`, `name.route`) and sinks, and `dead_letters`. A list of rows, a count, "
           "or a map with rows, sent, in_order, exact, count, in, out, dropped, dead_letters, "
           "failed and clamped.",
       .examples = {"{alerts: [{client_ip: 192.0.2.7, requests: 11}]}"}});
}

void check_names(const TestFile& file, Diagnostics& problems) {
  std::set<std::string> names;
  for (const auto& c : file.cases) {
    const ConfigNode* name = c.where.find("name");
    if (name == nullptr || names.insert(c.name).second) continue;
    problems.error("duplicate-name", name->place,
                   fmt::format("two cases are called {}", json_quote(c.name)),
                   "a report names cases by their names: give each its own");
  }
}

// Behind an end no source hands out anything.
void check_end(const Case& c, Diagnostics& problems) {
  bool ended = false;
  const auto look = [&](const Step& step) {
    if (ended && (!step.in.empty() || step.after != Duration{}))
      problems.error("rule", c.where.place, "after end: true nothing comes any more",
                     "put in and after before it");
    ended = ended || step.end;
  };
  for (const Step& step : c.steps) look(step);
  look(c);
}

}  // namespace

const Spec<Step>& step_spec() {
  static const Spec<Step> kSpec = [] {
    Spec<Step> spec("a step");
    add_step_fields(spec);
    spec.rule("after is not negative", [](const Step& s) { return s.after >= Duration{}; });
    return spec;
  }();
  return kSpec;
}

const Spec<Case>& case_spec() {
  using C = Case;
  static const Spec<C> kSpec = [] {
    Spec<C> spec("a case");
    spec.field(&C::name, {.name = "name",
                          .help = "What is true when it passes, as a sentence.",
                          .required = true})
        .field(&C::start, {.name = "start",
                           .help = "What the virtual clock says at the beginning; by default that "
                                   "of the file."})
        .field(&C::steps,
               {.name = "steps",
                .help = "Steps before the case's own keys: each a map of the keys below."});
    add_step_fields(spec);
    spec.rule("after is not negative", [](const C& c) { return c.after >= Duration{}; });
    return spec;
  }();
  return kSpec;
}

const Spec<TestFile>& test_file_spec() {
  using C = TestFile;
  static const Spec<C> kSpec =
      Spec<C>("test file")
          .summary(
              "Cases of one pipeline, run by `streamd test` on a virtual clock; sources, "
              "sinks, lists and services are taken over by the file, and no socket is opened.")
          .field(
              &C::pipeline,
              {.name = "pipeline",
               .help = "The pipeline file, from this file's folder. Without it: NAME.yaml beside "
                       "NAME.test.yaml.",
               .examples = {"../nginx.yaml"}})
          .field(&C::env, {.name = "env",
                           .help = "Values of the pipeline's ${VARIABLES}. The environment of the "
                                   "process does not count. `file:/path` stands for ${file:/path}.",
                           .examples = {"{DISCORD_WEBHOOK: \"https://discord.example/x\"}"}})
          .field(&C::start, {.name = "start",
                             .help = "What the virtual clock says when a case begins. Default: "
                                     "2024-01-01T00:00:00Z."})
          .field(&C::lists, {.name = "lists",
                             .help = "Entries of the pipeline's indicator lists in every case. "
                                     "Lists of other types than inline have to be here."})
          .field(&C::answers,
                 {.name = "answers",
                  .help = "Answers that `enrich` operators and sources get in every case."})
          .field(&C::cases, {.name = "cases", .help = "The cases.", .required = true})
          .rule("there is at least one case", [](const C& c) { return !c.cases.empty(); });
  return kSpec;
}

std::optional<TestFile> read_test_file(const ConfigNode& root, Diagnostics& problems) {
  if (root.shape == ConfigNode::Shape::map && root.find("cases") == nullptr &&
      (root.find("sources") != nullptr || root.find("sinks") != nullptr)) {
    problems.error("no-test-file", root.place, "this is a pipeline, not a test file",
                   "its tests are a file beside it, NAME.test.yaml, with cases:");
    return std::nullopt;
  }
  auto reading = test_file_spec().read(root, problems);
  if (!reading) return std::nullopt;
  TestFile& file = reading->config;
  // Each case as far as it can be read: what is wrong in one does not hide the others.
  file.cases.clear();
  if (const ConfigNode* cases = reading->node.find("cases")) {
    const bool one = cases->shape == ConfigNode::Shape::map;
    for (const auto& node : one ? std::vector<ConfigNode>{*cases} : cases->items) {
      Diagnostics told;
      auto read = case_spec().read(node, told);
      if (!read) continue;
      read->config.where = node;
      check_end(read->config, problems);
      file.cases.push_back(std::move(read->config));
    }
  }
  check_names(file, problems);
  return std::move(file);
}

}  // namespace streamd::testing
