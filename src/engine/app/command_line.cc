// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"

#include "engine/api/field_type.h"
#include "engine/app/commands.h"
#include "engine/app/components.h"
#include "engine/app/logging.h"
#include "plugin/load.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>

namespace streamd {
namespace {

using Action = std::function<int()>;

// As numbers in pipeline files are read and refused. CLI11's own check tells the range of a double.
CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string& text) {
        ConfigNode node;
        node.shape = ConfigNode::Shape::scalar;
        node.text = text;
        std::uint64_t number = 0;
        Diagnostics problems;
        const bool good = FieldType<std::uint64_t>::read(node, number, problems);
        return good ? std::string() : problems.all().front().message;
      },
      "");
}

void add_run(CLI::App& app, const Registry& registry, Action& action) {
  auto* run = app.add_subcommand("run", "Run pipelines (the default: streamd FILE)");
  auto arguments = std::make_shared<RunArguments>();
  run->add_option("files", arguments->files, "Pipeline files")->required();
  run->add_option("--state-dir", arguments->state_dir,
                  "Where state lives [$STREAMD_STATE_DIR, else ./state]");
  run->add_flag("--fresh", arguments->fresh, "Archive the stored state and start anew");
  run->add_option("--workers", arguments->workers, "Threads that work on records [one per core]")
      ->check(CLI::Range(1, 256));
  // One value each time it stands there: what follows is a file.
  run->add_option("--reset-state", arguments->reset_state,
                  "Drop what this operator or sink has stored (may be repeated)")
      ->allow_extra_args(false);
  run->add_flag("--progress", arguments->progress, "Show progress even when not on a terminal");
  run->add_flag("--quiet", arguments->quiet, "No progress line and no table at the end");
  run->callback([=, &registry, &action] {
    action = [=, &registry] { return run_command(*arguments, registry); };
  });
}

void add_check(CLI::App& app, const Registry& registry, Action& action) {
  auto* check = app.add_subcommand("check", "Check pipelines and print the plan; opens no socket");
  auto arguments = std::make_shared<CheckArguments>();
  check->add_option("files", arguments->files, "Pipeline files")->required();
  check->add_option("--format", arguments->format, "How problems are told: text, json, github")
      ->check(CLI::IsMember({"text", "json", "github"}));
  check->add_flag("--strict", arguments->strict, "Exit 2 on warnings, too");
  check->callback([=, &registry, &action] {
    action = [=, &registry] { return check_command(*arguments, registry); };
  });
}

void add_graph(CLI::App& app, const Registry& registry, Action& action) {
  auto* graph = app.add_subcommand("graph", "Draw what flows where in pipelines");
  auto arguments = std::make_shared<GraphArguments>();
  graph->add_option("files", arguments->files, "Pipeline files")->required();
  graph->add_option("--format", arguments->format, "text, mermaid or dot")
      ->check(CLI::IsMember({"text", "mermaid", "dot"}));
  graph->callback([=, &registry, &action] {
    action = [=, &registry] { return graph_command(*arguments, registry); };
  });
}

void add_test(CLI::App& app, const Registry& registry, Action& action) {
  auto* test = app.add_subcommand("test", "Run test cases of pipelines; opens no socket");
  auto a = std::make_shared<TestArguments>();
  test->add_option("files", a->files, "Test files: NAME.test.yaml")->required();
  test->add_flag("--update", a->update, "Rewrite what the cases expect to what came");
  test->add_option("--junit", a->junit, "Write the results to this file, for JUnit's readers");
  test->add_option("--case", a->filter, "Only cases whose names contain this text");
  test->add_flag("--coverage", a->coverage, "Show what went into and out of each node");
  test->callback(
      [=, &registry, &action] { action = [=, &registry] { return test_command(*a, registry); }; });
}

void add_reference(CLI::App& app, const Registry& registry, Action& action) {
  auto* list = app.add_subcommand("list", "List the sources, lists, operators and sinks");
  auto kind = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  list->add_option("kind", *kind, "Only sources, lists, operators, sinks or functions")
      ->check(CLI::IsMember({"sources", "lists", "operators", "sinks", "functions"}));
  list->add_flag("--json", *json, "As JSON");
  list->callback([=, &registry, &action] {
    action = [=, &registry] { return list_command(*kind, *json, registry); };
  });

  auto* docs = app.add_subcommand("docs", "Print the reference of a component, or write all of it");
  auto type = std::make_shared<std::string>();
  auto write_to = std::make_shared<std::string>();
  auto compare = std::make_shared<bool>(false);
  docs->add_option("type", *type, "A component type, as `streamd list` shows it");
  docs->add_option("--write", *write_to, "Write the whole reference into this folder");
  docs->add_flag("--check", *compare, "With --write: only compare, exit 1 when not current");
  docs->callback([=, &registry, &action] {
    action = [=, &registry] { return docs_command(*type, *write_to, *compare, registry); };
  });

  auto* schema = app.add_subcommand("schema", "Print the JSON schema of pipeline files");
  auto tests = std::make_shared<bool>(false);
  schema->add_flag("--tests", *tests, "Of test files instead");
  schema->callback([=, &registry, &action] {
    action = [=, &registry] { return schema_command(*tests, registry); };
  });
}

void add_generate(CLI::App& app, Action& action) {
  auto* generate = app.add_subcommand("generate", "Write made-up records to standard output");
  auto a = std::make_shared<GenerateArguments>();
  const auto setting = [&](const std::string& name, const std::string& option, const char* help) {
    generate->add_option_function<std::string>(
        option, [a, name](const std::string& text) { a->settings[name] = text; }, help);
  };
  setting("kind", "kind", "What to write: nginx");
  setting("count", "--count", "How many records [1000]");
  setting("rate", "--rate", "Records per second of event time [10000]");
  setting("seed", "--seed", "The same seed gives the same records [1]");
  setting("clients", "--clients", "Different client addresses [100000]");
  setting("attackers", "--attackers", "Addresses that burst [5]");
  setting("disorder", "--disorder", "How much earlier a record's time may be [0s]");
  setting("start", "--start", "Time of the first record [2024-01-01T00:00:00Z]");
  generate->add_option("--output,-o", a->output, "File to write to");
  generate->callback([=, &action] { action = [=] { return generate_command(*a); }; });
}

void add_dlq(CLI::App& app, const Registry& registry, Action& action) {
  auto* dlq = app.add_subcommand("dlq", "Look at dead letters and replay them");
  dlq->require_subcommand(1);
  using Command = int (*)(const DlqArguments&, const Registry&);
  const auto add = [&](const char* name, const char* help, Command command) {
    auto a = std::make_shared<DlqArguments>();
    auto* sub = dlq->add_subcommand(name, help);
    sub->add_option("files", a->files,
                    "The pipeline file, or all files of a job that shares sources")
        ->required();
    sub->add_option("--state-dir", a->state_dir, "Where state lives");
    sub->add_option("--node", a->node, "Only of this node");
    sub->add_option("--code", a->code, "Only with this code");
    sub->callback(
        [=, &registry, &action] { action = [=, &registry] { return command(*a, registry); }; });
    return std::pair{sub, a};
  };
  const auto [ls, ls_arguments] = add("ls", "List dead letters, newest last", dlq_list);
  ls->add_option("--limit", ls_arguments->limit, "How many of the newest [20]")
      ->check(whole_number());
  const auto [show, show_arguments] = add("show", "Show one dead letter whole", dlq_show);
  show->add_option("--number", show_arguments->number, "Its number as `ls` shows it [the newest]")
      ->check(whole_number());
  add("replay", "Take the original records to the node that refused them, and on from there",
      dlq_replay);
}

void add_lists(CLI::App& app, const Registry& registry, Action& action) {
  auto* lists = app.add_subcommand("lists", "Look into the indicator lists of pipelines");
  lists->require_subcommand(1);
  using Command = int (*)(const ListsArguments&, const Registry&);
  const auto add = [&](const char* name, const char* help, Command command,
                       const std::function<void(CLI::App&, ListsArguments&)>& first) {
    auto a = std::make_shared<ListsArguments>();
    auto* sub = lists->add_subcommand(name, help);
    first(*sub, *a);
    sub->add_option("files", a->files, "Pipeline files")->required();
    sub->add_option("--state-dir", a->state_dir, "Where state lives");
    sub->add_flag("--load", a->load, "Fetch lists of type url instead of reading their copies");
    sub->add_flag("--json", a->json, "As JSON");
    sub->callback(
        [=, &registry, &action] { action = [=, &registry] { return command(*a, registry); }; });
  };
  add("ls", "List them: entries, age, source, what is wrong", lists_ls,
      [](CLI::App&, ListsArguments&) {});
  add("show", "Show the entries of one", lists_show, [](CLI::App& sub, ListsArguments& a) {
    sub.add_option("name", a.name, "The list")->required();
    sub.add_option("--limit", a.limit, "How many [20]")->check(whole_number());
  });
  add("test", "Say which of them have a value, and by which entry; exit 1 when none has",
      lists_test, [](CLI::App& sub, ListsArguments& a) {
        sub.add_option("value", a.value, "An address, network, domain or text")->required();
      });
}

void add_plugin_new(CLI::App& plugin, const Registry& registry, Action& action) {
  auto* add = plugin.add_subcommand("new", "Write the skeleton of a plugin that builds");
  auto a = std::make_shared<PluginNewArguments>();
  add->add_option("name", a->name, "Its name: lower case letters, digits and _")->required();
  add->add_option("--kind", a->kind, "What it brings: operator, source, sink or function")
      ->required()
      ->check(CLI::IsMember({"operator", "source", "sink", "function"}));
  add->add_option("--lang", a->language, "Its language: c++ or c [c++]")
      ->check(CLI::IsMember({"c++", "c"}));
  add->add_option("--folder", a->folder, "Where to write it [./NAME]");
  add->callback([=, &registry, &action] {
    action = [=, &registry] { return plugin_new_command(*a, registry); };
  });
}

void add_plugin_commands(CLI::App& app, const Registry& registry, Action& action) {
  auto* plugin = app.add_subcommand("plugin", "Make plugins, look into them, try them");
  plugin->require_subcommand(1);
  add_plugin_new(*plugin, registry, action);
  auto a = std::make_shared<PluginArguments>();
  auto* info = plugin->add_subcommand("info", "What a plugin brings, and whether it would load");
  info->add_option("file", a->file, "The shared library")->required();
  info->add_flag("--json", a->json, "As JSON");
  info->callback(
      [=, &registry, &action] { action = [=, &registry] { return plugin_info(*a, registry); }; });
  auto* test = plugin->add_subcommand(
      "test", "Try what every user of a plugin meets: odd batches, restarts, bad options");
  test->add_option("file", a->file, "The shared library")->required();
  test->callback(
      [=, &registry, &action] { action = [=, &registry] { return plugin_test(*a, registry); }; });
}

// Those of the command line, then those of the environment. False: one was refused, and all such
// are told.
bool load_plugins(std::vector<std::string> files, Registry& registry) {
  if (const char* path = std::getenv("STREAMD_PLUGIN_PATH"))
    for (auto& file : plugin::find_plugins(path)) files.push_back(std::move(file));
  bool good = true;
  for (const std::string& file : files)
    if (const Status added = plugin::add_plugin(file, registry); !added) {
      print_error(added.error());
      good = false;
    }
  return good;
}

void add_watch(CLI::App& app, Action& action) {
  const auto common = [](CLI::App& sub, WatchArguments& a) {
    sub.add_option("pipeline", a.pipeline, "The pipeline, by its name or its file");
    sub.add_option("--state-dir", a.state_dir,
                   "Where its state lives [$STREAMD_STATE_DIR, else ./state]");
  };
  auto* tap = app.add_subcommand("tap", "Look at records of a running pipeline as they pass");
  auto t = std::make_shared<WatchArguments>();
  tap->add_option("node", t->node, "What leaves this node, or enters it if it is a sink")
      ->required();
  common(*tap, *t);
  tap->add_option("--where", t->where, "Only records for which this expression is true");
  tap->add_option("--limit", t->limit, "End after so many records")->check(whole_number());
  tap->add_option("--port", t->port, "out, late, errors, or a named output [out]");
  tap->add_flag("--json", t->json, "A JSON object per record, with its place");
  tap->callback([=, &action] { action = [=] { return tap_command(*t); }; });

  auto* health =
      app.add_subcommand("health", "Say whether running pipelines get on; exit 1 when not");
  auto h = std::make_shared<WatchArguments>();
  common(*health, *h);
  health->add_option("--patience", h->patience, "How long trouble may last [60s]");
  health->callback([=, &action] { action = [=] { return health_command(*h); }; });
}

// `streamd FILE` means `streamd run FILE`. The verb may stand behind plugins.
std::vector<std::string> with_default_verb(int argc, char** argv, const CLI::App& app) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("--plugin"))
    at += words[at] == "--plugin" ? 2 : 1;
  const auto first = at < words.size() ? words[at] : std::string();
  const bool option = first.empty() || first == "--help" || first == "-h" || first == "--version";
  const auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  const bool verb = std::any_of(verbs.begin(), verbs.end(),
                                [&](const CLI::App* v) { return v->get_name() == first; });
  if (!option && !verb) words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), "run");
  return words;
}

// What is printed is the command's result: an answer that did not get out whole is a failure.
int with_output(const Action& action) {
  int code = kExitFailed, problem = 0;
  try {
    code = action();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) problem = errno;
  } catch (const std::system_error& error) {  // of fmt::print
    problem = error.code().value();
  }
  if (problem == 0) return code;
  print_error({.message = std::string("cannot write the output: ") + std::strerror(problem)});
  return code == kExitDone ? kExitFailed : code;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  Registry registry = builtin_registry();
  CLI::App app("streamd runs stream-processing pipelines declared in YAML.", "streamd");
  app.footer("Exit codes: 0 done, 1 failed at run time, 2 wrong configuration or usage.");
  app.set_version_flag("--version", "streamd " STREAMD_VERSION);
  app.require_subcommand(1);
  std::vector<std::string> plugins;
  app.add_option("--plugin", plugins,
                 "Load this plugin (may be repeated); also those in $STREAMD_PLUGIN_PATH")
      ->allow_extra_args(false);
  app.fallthrough();
  Action action;
  add_run(app, registry, action);
  add_check(app, registry, action);
  add_test(app, registry, action);
  add_graph(app, registry, action);
  add_reference(app, registry, action);
  add_generate(app, action);
  add_dlq(app, registry, action);
  add_lists(app, registry, action);
  add_plugin_commands(app, registry, action);
  add_watch(app, action);
  app.add_subcommand("version", "Print the version")->callback([&action] {
    action = [] {
      std::puts("streamd " STREAMD_VERSION);
      return kExitDone;
    };
  });

  auto words = with_default_verb(argc, argv, app);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  if (!action || !load_plugins(std::move(plugins), registry)) return kExitUsage;
  return with_output(action);
}

}  // namespace streamd
