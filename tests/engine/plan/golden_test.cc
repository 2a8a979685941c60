// SPDX-License-Identifier: Apache-2.0
// Broken pipelines and, word for word, what the user is told. STREAMD_UPDATE_GOLDEN=1 rewrites the
// expected texts; look at the difference before you commit it.
#include "engine/config/render.h"
#include "engine/plan/secrets.h"
#include "tests/engine/plan/plan_text.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

std::vector<fs::path> broken_pipelines() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(STREAMD_GOLDEN))
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string told(const fs::path& path) {
  const std::string text = read_all(path);
  Diagnostics problems;
  const bool planned = fake::plan_of(text, problems).has_value();
  Secrets secrets{.places = {}, .names = secret_names(fake::registry())};
  Diagnostics again;
  if (const auto document = parse_yaml(text, 0, fake::surroundings(), again))
    secrets.places = secret_places(*document, fake::registry());
  return render(problems, {{path.filename().string(), text}}, false, secrets) +
         (planned ? "(planned)\n" : "");
}

}  // namespace

TEST_CASE("broken pipelines are explained as expected") {
  const auto paths = broken_pipelines();
  CHECK(paths.size() >= 30);
  for (const auto& path : paths) {
    fs::path expected = path;
    expected.replace_extension(".expected");
    const std::string text = told(path);
    if (std::getenv("STREAMD_UPDATE_GOLDEN") != nullptr)
      std::ofstream(expected, std::ios::binary) << text;
    INFO(path.filename().string());
    CHECK(text == read_all(expected));
    CHECK(text.find("hunter2") == std::string::npos);
  }
}
