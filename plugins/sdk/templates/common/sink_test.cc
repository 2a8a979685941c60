// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;

namespace {

const std::string kPath = std::filesystem::temp_directory_path() / "plugin_name_test.ndjson";

std::string written() {
  std::ostringstream text;
  text << std::ifstream(kPath).rdbuf();
  return text.str();
}

void what_is_flushed_is_in_the_file() {
  std::filesystem::remove(kPath);
  sd::test::SinkRun run(streamd_plugin(), "plugin_name", {{"path", kPath}});
  run.write({{at(0s), {{"word", "one"}}}, {at(1s), {{"word", "two"}}}});
  run.flush();
  equal(written(), "{\"word\":\"one\"}\n{\"word\":\"two\"}\n");
  run.crash();
  run.write({{at(2s), {{"word", "three"}}}});
  run.flush();
  equal(written(), "{\"word\":\"one\"}\n{\"word\":\"two\"}\n{\"word\":\"three\"}\n");
}

void a_folder_that_is_not_there_is_told() {
  sd::test::throws<sd::Failed>(
      [] {
        sd::test::SinkRun run(streamd_plugin(), "plugin_name", {{"path", "/none/a"}});
      },
      "/none/a");
}

}  // namespace

int main() {
  return sd::test::run({
      {"what is flushed is in the file", what_is_flushed_is_in_the_file},
      {"a folder that is not there is told", a_folder_that_is_not_there_is_told},
  });
}
