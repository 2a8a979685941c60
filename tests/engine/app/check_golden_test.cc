// SPDX-License-Identifier: Apache-2.0
// Broken and doubtful pipelines through everything that `streamd check` does, with the real
// components: word for word what the user is told, and the exit code. A folder holds files that are
// given together. STREAMD_UPDATE_GOLDEN=1 rewrites the expected texts; read the difference as
// somebody would who is woken by it, before you commit it.
#include "engine/app/components.h"
#include "engine/app/load.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

using namespace streamd;
namespace fs = std::filesystem;

namespace {

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Case {
  fs::path expected;
  std::vector<std::string> files;
};

std::vector<Case> cases() {
  std::map<fs::path, Case> found;
  for (const auto& entry : fs::directory_iterator(".")) {
    const fs::path path = entry.path().filename();
    if (entry.is_directory()) {
      Case several{path.string() + ".expected", {}};
      for (const auto& file : fs::directory_iterator(path))
        several.files.push_back((path / file.path().filename()).string());
      std::sort(several.files.begin(), several.files.end());
      found.emplace(path, std::move(several));
    } else if (path.extension() == ".yaml") {
      found.emplace(path, Case{path.stem().string() + ".expected", {path.string()}});
    }
  }
  std::vector<Case> all;
  for (auto& [path, one] : found) all.push_back(std::move(one));
  return all;
}

// Cases know no environment but these.
Surroundings surroundings() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            if (name == "TOKEN") return "hunter2-from-the-environment";
            if (name == "WEBHOOK") return "https://discord.com/api/webhooks/1/hunter2";
            return std::nullopt;
          },
          .file = [](const std::string& path) -> Result<std::string> {
            return fail(ErrorKind::config, "cannot read file \"" + path + "\"",
                        "check that it exists and may be read by this user");
          }};
}

std::string told(const Case& one, const Registry& registry) {
  const LoadedFiles loaded = load_files(one.files, registry, surroundings());
  const bool failed = loaded.problems.errors() > 0;
  const bool strict = failed || !loaded.problems.all().empty();
  CHECK(loaded.plans.empty() == failed);
  return render(loaded.problems, loaded.texts, false, loaded.secrets) + "exit " +
         (failed   ? "2"
          : strict ? "0, 2 with --strict"
                   : "0") +
         "\n";
}

}  // namespace

TEST_CASE("what is wrong with a pipeline is told with place, reason and remedy") {
  fs::current_path(STREAMD_CHECK_GOLDEN);
  const Registry registry = builtin_registry();
  const auto all = cases();
  CHECK(all.size() >= 100);
  for (const auto& one : all) {
    INFO(one.expected.string());
    const std::string text = told(one, registry);
    if (std::getenv("STREAMD_UPDATE_GOLDEN") != nullptr)
      std::ofstream(one.expected, std::ios::binary) << text;
    CHECK(text == read_all(one.expected));
    CHECK(text.find("hunter2") == std::string::npos);
    if (text.starts_with("exit 0")) continue;
    CHECK(text.find(" = help: ") != std::string::npos);
  }
}
