// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/joint.h"

#include "engine/plan/describe.h"
#include "tests/engine/plan/plan_text.h"
#include "tests/support/catch.h"

using namespace streamd;

namespace {

using Names = std::vector<std::string>;

struct Files {
  std::vector<ConfigNode> documents;
  Diagnostics problems;

  explicit Files(const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      const auto file = static_cast<std::uint32_t>(documents.size());
      auto document = parse_yaml(text, file, fake::surroundings(), problems);
      REQUIRE(document);
      documents.push_back(std::move(*document));
    }
  }
  std::vector<Plan> plans() { return build_jobs(documents, fake::registry(), problems); }
};

Names nodes(const Plan& plan) {
  Names names;
  for (const auto& node : plan.nodes) names.push_back(node.name);
  return names;
}

const PlanNode& node(const Plan& plan, const std::string& name) {
  for (const auto& n : plan.nodes)
    if (n.name == name) return n;
  FAIL("no node " << name);
  return plan.nodes.front();
}

std::string reads(const Plan& plan, const std::string& name) {
  return plan.nodes[node(plan, name).inputs.front().node].name;
}

const std::string kAlerts =
    "pipeline: alerts\n"
    "sources: {lines: {type: lines, path: x, time: {field: ts, format: unix}}}\n"
    "operators: {bad: {type: filter, input: lines, where: status >= 400}}\n"
    "sinks: {o: {type: out, input: bad}}\n";
const std::string kHistory =
    "pipeline: history\n"
    "sources: {raw: {time: {format: unix, field: ts}, path: x, type: lines}}\n"
    "operators: {c: {type: count, input: raw, by: [host], size: 1m}}\n"
    "sinks: {o: {type: out, input: c}, late: {type: out, input: c.late}}\n";

}  // namespace

TEST_CASE("files with an equal source are one job that decodes what any of them uses") {
  Files files({kHistory, kAlerts});
  const auto plans = files.plans();
  REQUIRE(files.problems.all().empty());
  REQUIRE(plans.size() == 1);
  const Plan& plan = plans.front();
  CHECK(plan.pipeline == "alerts+history");
  CHECK(plan.members == Names{"alerts", "history"});
  CHECK(nodes(plan) ==
        Names{"alerts.lines", "alerts.bad", "alerts.o", "history.c", "history.o", "history.late"});
  CHECK(reads(plan, "alerts.bad") == "alerts.lines");
  CHECK(reads(plan, "history.c") == "alerts.lines");
  CHECK(reads(plan, "history.late") == "history.c");
  CHECK(node(plan, "history.late").inputs.front().port == Port::late);
  Names columns;
  for (const auto& field : node(plan, "alerts.lines").ports.out.fields)
    columns.push_back(field.name);
  CHECK(columns == Names{"host", "status", "ts"});
  CHECK(describe(plan).find("pipelines alerts, history are one job") != std::string::npos);
}

TEST_CASE("the order in which files are given changes nothing") {
  const auto one = Files({kHistory, kAlerts}).plans();
  const auto other = Files({kAlerts, kHistory}).plans();
  REQUIRE(one.size() == 1);
  REQUIRE(other.size() == 1);
  CHECK(describe(one.front()) == describe(other.front()));
}

TEST_CASE("files whose sources differ stay apart") {
  std::string elsewhere = kHistory;
  elsewhere.replace(elsewhere.find("path: x"), 7, "path: y");
  Files files({elsewhere, kAlerts});
  const auto plans = files.plans();
  REQUIRE(plans.size() == 2);
  CHECK(plans[0].pipeline == "history");
  CHECK(plans[0].members.empty());
  CHECK(plans[1].pipeline == "alerts");
  CHECK(nodes(plans[1]) == Names{"lines", "bad", "o"});
}

TEST_CASE("another pace of checkpoints or another place of dead letters keeps files apart") {
  CHECK(Files({kHistory + "checkpoint: {every: 3s}\n", kAlerts}).plans().size() == 2);
  const auto with_letters = [](std::string text, const std::string& path) {
    text.insert(text.find("sinks: {") + 8, "d: {type: out, path: " + path + "}, ");
    return text + "dead_letters: d\n";
  };
  CHECK(Files({with_letters(kHistory, "p"), kAlerts}).plans().size() == 2);
  CHECK(Files({with_letters(kHistory, "p"), with_letters(kAlerts, "q")}).plans().size() == 2);
  Files files({with_letters(kHistory, "p"), with_letters(kAlerts, "p")});
  const auto plans = files.plans();
  REQUIRE(plans.size() == 1);
  REQUIRE(plans[0].dead_letters);
  CHECK(plans[0].nodes[*plans[0].dead_letters].name == "alerts.d");
}

TEST_CASE("three files are one job when each shares a source with some other") {
  const std::string between =
      "pipeline: between\n"
      "sources:\n"
      "  a: {type: lines, path: x, time: {field: ts, format: unix}}\n"
      "  b: {type: lines, path: z}\n"
      "sinks: {o: {type: out, input: [a, b]}}\n";
  const std::string last =
      "pipeline: last\n"
      "sources: {z: {type: lines, path: z}}\n"
      "sinks: {o: {type: out, input: z}}\n";
  const auto plans = Files({last, kAlerts, between}).plans();
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].pipeline == "alerts+between+last");
  CHECK(reads(plans[0], "last.o") == "between.b");
}

TEST_CASE("lists of one name and other contents are each seen by their own file") {
  const auto with_list = [](const std::string& name, const std::string& list) {
    return "pipeline: " + name + "\nsources: {s: {type: lines, path: x}}\nlists: {bad: " + list +
           "}\noperators: {f: {type: filter, input: s, where: client in list(\"bad\")}}\n"
           "sinks: {o: {type: out, input: f}}\n";
  };
  Files different(
      {with_list("a", "{type: names, path: x}"), with_list("b", "{type: names, path: y}")});
  const auto plans = different.plans();
  REQUIRE(plans.size() == 1);
  REQUIRE(plans[0].lists.size() == 2);
  CHECK(plans[0].lists[0].name == "a.bad");
  CHECK(plans[0].lists[1].name == "b.bad");
  CHECK(plans[0].lists[1].slot->name() == "bad");

  Files same({with_list("a", "{type: names, path: x}"), with_list("b", "{type: names, path: x}")});
  const auto shared = same.plans();
  REQUIRE(shared.size() == 1);
  CHECK(shared[0].lists.size() == 1);
}

TEST_CASE("two files that write to one place are told where") {
  const auto writes = [](const std::string& name) {
    return "pipeline: " + name +
           "\nsources: {s: {type: lines, path: x}}\nsinks: {o: {type: out, input: s, path: p}}\n";
  };
  Files files({writes("a"), writes("b")});
  CHECK(files.plans().empty());
  REQUIRE(files.problems.all().size() == 1);
  CHECK(files.problems.all()[0].message == "sink \"b.o\" writes to the same place as sink \"a.o\"");
  CHECK(files.problems.all()[0].place.file == 1);
}

TEST_CASE("a job of very many files has a name that a folder can have") {
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    std::string text = kAlerts;
    texts.push_back(text.replace(text.find("alerts"), 6, "rule-number-" + std::to_string(i)));
  }
  const auto plans = Files(texts).plans();
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].pipeline.find("rule-number-0+99-more-") == 0);
  CHECK(plans[0].pipeline.size() < 100);
  CHECK(plans[0].members.size() == 100);
}
