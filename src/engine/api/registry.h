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

template <class Plan>
struct Registered {
  SpecView view;
  // Reads the node's own fields (`also`: views of the fields common to its kind). Null when there
  // is nothing that could be bound; a problem may be reported in any case.
  std::function<std::unique_ptr<Plan>(const ConfigNode&, const std::vector<const SpecView*>& also,
                                      Diagnostics&)>
      make;
};

class Registry {
 public:
  // make: std::unique_ptr<XPlan>(Config, const ConfigNode&, Diagnostics&). It may report problems
  // (an expression that does not parse) and return null. It is also called when some values could
  // not be read and have their defaults, for what it says about the others; everything required is
  // in the node.
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
                                                 Diagnostics& problems) -> std::unique_ptr<Plan> {
                    auto reading = spec.read(node, problems, also);
                    if (!reading || reading->missing) return nullptr;
                    if (reading->usable())
                      return make(std::move(reading->config), reading->node, problems);
                    Diagnostics found;
                    make(std::move(reading->config), reading->node, found);
                    report_about_values(reading->node, reading->unusable, found, problems);
                    return nullptr;
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
