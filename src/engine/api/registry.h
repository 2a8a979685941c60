// SPDX-License-Identifier: Apache-2.0
// Registry: the component types this process knows. An object, never a global: main builds one,
// tests build smaller ones, the plugin loader adds to the one it is given. Read-only once built.
#pragma once

#include "engine/api/list.h"
#include "engine/api/operator.h"
#include "engine/api/sink.h"
#include "engine/api/source.h"
#include "engine/api/spec.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace streamd {

// What came of a node's settings.
template <class Plan>
struct Made {
  // Null: nothing that could be bound. With problems it may be there, to be bound and asked for its
  // routes, sides and claim, so that the user sees what else is wrong; it never runs.
  std::unique_ptr<Plan> plan;
  std::vector<std::string> doubtful = {};  // see Reading
};

template <class Plan>
struct Registered {
  SpecView view;
  // Reads the node's own fields (`also`: views of the fields common to its kind).
  std::function<Made<Plan>(const ConfigNode&, const std::vector<const SpecView*>& also,
                           Diagnostics&)>
      make;
};

class Registry {
 public:
  // make: std::unique_ptr<XPlan>(Config, const ConfigNode&, Diagnostics&). It may report problems:
  // an expression that does not parse is left out of bind(), and what can't be bound at all is
  // null. It is also called when some values are missing or could not be read and have their
  // defaults, for what it says about the others; everything required is in the node, if only as
  // nothing.
  template <class Config, class Make>
  void add_source(Spec<Config> spec, Make make) {
    add("source", sources_, std::move(spec), make);
  }
  template <class Config, class Make>
  void add_list(Spec<Config> spec, Make make) {
    add("list", lists_, std::move(spec), make);
  }
  template <class Config, class Make>
  void add_operator(Spec<Config> spec, Make make) {
    add("operator", operators_, std::move(spec), make);
  }
  template <class Config, class Make>
  void add_sink(Spec<Config> spec, Make make) {
    add("sink", sinks_, std::move(spec), make);
  }

  // Components that are not declared by a Spec (plugins). Their types must not be known yet.
  void add(Registered<SourcePlan> source) { sources_.push_back(std::move(source)); }
  void add(Registered<OperatorPlan> op) { operators_.push_back(std::move(op)); }
  void add(Registered<SinkPlan> sink) { sinks_.push_back(std::move(sink)); }
  // What expressions know besides the functions that are built in; null: nothing.
  void set_functions(std::shared_ptr<const expr::FunctionScope> functions) {
    functions_ = std::move(functions);
  }

  // The files of the plugins whose components are here, without links.
  void add_plugin_file(std::string path) { plugin_files_.push_back(std::move(path)); }
  const std::vector<std::string>& plugin_files() const { return plugin_files_; }

  const std::vector<Registered<SourcePlan>>& sources() const { return sources_; }
  const std::vector<Registered<ListPlan>>& lists() const { return lists_; }
  const std::vector<Registered<OperatorPlan>>& operators() const { return operators_; }
  const std::vector<Registered<SinkPlan>>& sinks() const { return sinks_; }
  const std::shared_ptr<const expr::FunctionScope>& functions() const { return functions_; }

 private:
  template <class Plan, class Config, class Make>
  static void add(const char* kind, std::vector<Registered<Plan>>& to, Spec<Config> spec,
                  Make make) {
    SpecView view = spec.view();
    view.kind = kind;
    to.push_back({std::move(view),
                  [spec = std::move(spec), make](const ConfigNode& node,
                                                 const std::vector<const SpecView*>& also,
                                                 Diagnostics& problems) -> Made<Plan> {
                    auto reading = spec.read(node, problems, also);
                    if (!reading) return {nullptr};
                    if (reading->usable())
                      return {make(std::move(reading->config), reading->node, problems)};
                    for (const auto& key : reading->doubtful)
                      if (reading->node.find(key) == nullptr) add_nothing(reading->node, key);
                    Diagnostics found;
                    Made<Plan> made{make(std::move(reading->config), reading->node, found),
                                    std::move(reading->doubtful)};
                    report_about_values(reading->node, made.doubtful, found, problems);
                    return made;
                  }});
  }

  std::vector<Registered<SourcePlan>> sources_;
  std::vector<Registered<ListPlan>> lists_;
  std::vector<Registered<OperatorPlan>> operators_;
  std::vector<Registered<SinkPlan>> sinks_;
  std::shared_ptr<const expr::FunctionScope> functions_;
  std::vector<std::string> plugin_files_;
};

}  // namespace streamd
