// SPDX-License-Identifier: Apache-2.0
// What each verb of the command line does. Each returns the exit code (command_line.h).
#pragma once

#include "engine/api/registry.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

struct RunArguments {
  std::vector<std::string> files;
  std::string state_dir;  // empty: $STREAMD_STATE_DIR, else ./state
  bool fresh = false;
  unsigned workers = 0;  // 0: one per core
  std::vector<std::string> reset_state;
  bool progress = false;  // even when standard error is no terminal
  bool quiet = false;     // no progress line, no table
};
int run_command(const RunArguments& arguments, const Registry& registry);
// The state folder in force: the option, else $STREAMD_STATE_DIR, else "state".
std::string state_root(const std::string& option);

struct CheckArguments {
  std::vector<std::string> files;
  std::string format = "text";  // or json, github: problems for programs, on standard output
  bool strict = false;          // warnings count as errors
};
int check_command(const CheckArguments& arguments, const Registry& registry);

struct GraphArguments {
  std::vector<std::string> files;
  std::string format = "text";  // or mermaid, dot
};
int graph_command(const GraphArguments& arguments, const Registry& registry);

struct TestArguments {
  std::vector<std::string> files;  // test files
  bool update = false;
  std::string junit;   // file to write; empty: none
  std::string filter;  // only cases whose names contain it
  bool coverage = false;
};
int test_command(const TestArguments& arguments, const Registry& registry);

int list_command(const std::string& kind, bool json, const Registry& registry);
int docs_command(const std::string& type, const std::string& write_to, bool compare,
                 const Registry& registry);
// tests: of test files instead of pipeline files.
int schema_command(bool tests, const Registry& registry);

struct GenerateArguments {
  // Of the generate source, by name. Unlike there, a count of 0 is no record.
  std::map<std::string, std::string> settings = {{"count", "1000"}, {"rate", "10000"}};
  std::string output;  // empty: standard output
};
int generate_command(const GenerateArguments& arguments);

struct DlqArguments {
  std::vector<std::string> files;  // of one job
  std::string state_dir;
  std::string node, code;  // filters; empty: all
  std::uint64_t limit = 20;
  std::optional<std::uint64_t> number;  // show: which one; default: the newest
};
int dlq_list(const DlqArguments& arguments, const Registry& registry);
int dlq_show(const DlqArguments& arguments, const Registry& registry);
int dlq_replay(const DlqArguments& arguments, const Registry& registry);

struct WatchArguments {
  std::string pipeline;   // a name or a pipeline file; empty: the only one that runs (tap), or all
  std::string state_dir;  // as for run
  std::string node, port = "out", where;
  std::uint64_t limit = 0;  // tap: how many records; 0: until it is ended
  bool json = false;
  std::string patience = "60s";  // health: how long trouble may last
};
int tap_command(const WatchArguments& arguments);
// Done: all that run get on; failed: one does not, or none runs.
int health_command(const WatchArguments& arguments);

struct ListsArguments {
  std::vector<std::string> files;
  std::string state_dir;
  bool load = false;  // lists on servers are fetched; otherwise their copies are read
  bool json = false;
  std::string name;          // show: of the list
  std::string value;         // test: what is looked up
  std::uint64_t limit = 20;  // show: how many entries
};
int lists_ls(const ListsArguments& arguments, const Registry& registry);
int lists_show(const ListsArguments& arguments, const Registry& registry);
// Done: a list has the value; failed: none has.
int lists_test(const ListsArguments& arguments, const Registry& registry);

struct PluginArguments {
  std::string file;
  bool json = false;
};
int plugin_info(const PluginArguments& arguments, const Registry& registry);
int plugin_test(const PluginArguments& arguments, const Registry& registry);

struct PluginNewArguments {
  std::string name;
  std::string kind;              // operator, source, sink or function
  std::string language = "c++";  // or c
  std::string folder;            // empty: one of that name
};
// Writes a folder that must not be there yet.
int plugin_new_command(const PluginNewArguments& arguments, const Registry& registry);

}  // namespace streamd
