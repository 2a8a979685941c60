// SPDX-License-Identifier: Apache-2.0
// Any bytes as a test file of a small pipeline: it is loaded, or its mistakes are told. What
// --update would rewrite is found inside the text, and writing it as it stands changes nothing.
#include "engine/config/yaml.h"
#include "engine/core/check.h"
#include "engine/testing/suite.h"
#include "engine/testing/yaml_text.h"
#include "tests/engine/plan/fake_components.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace streamd;

std::string test_text;

std::optional<std::string> read(const std::string& path) {
  if (path == "a.test.yaml") return test_text;
  return "pipeline: a\nsources: {in: {type: lines, path: x}}\nsinks: {out: {type: out, input: "
         "in}}\n";
}

void look(const testing::YamlText& yaml, const ConfigNode& node) {
  for (const auto& [key, value] : node.entries) {
    if (const auto list = yaml.list_of(key, value)) {
      std::vector<testing::Edit> same;
      for (const auto& item : list->items) {
        STREAMD_CHECK(item.begin < item.end && item.end <= list->all.end, "an item is in its list");
        same.push_back({item, std::string(yaml.text().substr(item.begin, item.end - item.begin))});
      }
      STREAMD_CHECK(list->items.size() == value.items.size(), "all items are found, or none");
      STREAMD_CHECK(testing::apply(yaml.text(), same) == yaml.text(), "what is the same stays");
    }
    if (const auto span = yaml.scalar(value))
      STREAMD_CHECK(span->begin < span->end && span->end <= yaml.text().size(),
                    "it is in the text");
    look(yaml, value);
  }
  for (const auto& item : node.items) look(yaml, item);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Registry registry = fake::registry();
  test_text.assign(reinterpret_cast<const char*>(data), size);
  const auto suite = testing::load_suite("a.test.yaml", registry, read);
  const std::string told = render(suite->problems, suite->texts, false, suite->secrets);
  STREAMD_CHECK(told.empty() == suite->problems.all().empty(), "every problem is told");
  STREAMD_CHECK(!suite->good() || suite->benches.size() == suite->file.cases.size(),
                "every case of a good file can run");
  Diagnostics ignored;
  if (const auto root = parse_yaml(test_text, 0, {}, ignored))
    look(testing::YamlText(test_text), *root);
  return 0;
}
