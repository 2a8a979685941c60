// SPDX-License-Identifier: Apache-2.0
// Spec<Config>: the one declaration of a component type. It parses and validates the YAML and is
// the source of docs, JSON schema and `list`. A field name is written here and nowhere else.
//
//   Spec<FilterConfig> filter_spec() {
//     using C = FilterConfig;
//     return Spec<C>("filter")
//         .summary("Passes the records for which an expression is true.")
//         .field(&C::where, {.name = "where", .help = "…", .required = true, .examples = {"status
//         >= 400"}}) .example("Errors only", "where: status >= 400");
//   }
//
// Values of Config's default-constructed members are the documented defaults.
#pragma once

#include "engine/api/config_node.h"
#include "engine/api/field_type.h"
#include "engine/api/names_fields.h"
#include "engine/api/spec_view.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {

struct FieldDoc {
  std::string name;
  std::string help;
  bool required = false;
  bool secret = false;
  bool advanced = false;
  std::vector<std::string> examples = {};
};

// The keys of a map-like type: those of its NestedSpec; none for other types.
template <class T>
std::vector<FieldView> nested_fields() {
  if constexpr (requires { FieldType<T>::nested(); })
    return FieldType<T>::nested();
  else
    return {};
}

// Reports keys of a map that no view knows, with the closest known name, and gives those the name
// that is meant if it is not there itself: what else is wrong is told as well then.
void reject_unknown_keys(ConfigNode& node, const std::vector<const SpecView*>& views,
                         Diagnostics& problems);
void report_missing(const ConfigNode& node, const std::string& field, Diagnostics& problems);
void report_rule(const ConfigNode& node, const std::string& text, Diagnostics& problems);
// The declared keys that a rule's text names, in its order, dotted ones as they are: "tls.cert and
// tls.key belong together".
std::vector<std::string> keys_in_rule(const std::string& text, const SpecView& view);
// The words of a text: letters, digits, underscores and dots within.
std::vector<std::string> words_of(const std::string& text);

// Hands over what `found` says about the values of a map, leaving out those of the keys in
// `except`.
void report_about_values(const ConfigNode& node, const std::vector<std::string>& except,
                         const Diagnostics& found, Diagnostics& problems);

// Adds a key without value and place to a map.
void add_nothing(ConfigNode& node, const std::string& key);

// A map as far as it can be read.
template <class Config>
struct Reading {
  Config config{};
  ConfigNode node;  // the map, misspelled keys corrected
  // Keys that are required and missing or can't be read, config has their defaults; and those that
  // a rule names which does not hold.
  std::vector<std::string> doubtful;
  bool rules_hold = true;
  bool usable() const { return doubtful.empty() && rules_hold; }
};

template <class Config>
class Spec {
 public:
  explicit Spec(std::string type) { view_.type = std::move(type); }

  Spec& summary(std::string text) { return set(view_.summary, std::move(text)); }
  Spec& details(std::string markdown) { return set(view_.details, std::move(markdown)); }
  Spec& promise(std::string text) { return set(view_.promise, std::move(text)); }

  template <class T>
  Spec& field(T Config::*member, FieldDoc doc) {
    view_.fields.push_back({doc.name, doc.help, FieldType<T>::name(), FieldType<T>::json_schema(),
                            doc.required ? "" : FieldType<T>::show(Config{}.*member), doc.required,
                            doc.secret, doc.advanced, doc.examples, nested_fields<T>(),
                            kNamesFields<T>});
    readers_.push_back([member, doc](Reading<Config>& into, Diagnostics& problems) {
      const ConfigNode* value = into.node.find(doc.name);
      if (value == nullptr) {
        if (!doc.required) return;
        report_missing(into.node, doc.name, problems);
        into.doubtful.push_back(doc.name);
        return;
      }
      const std::size_t before = problems.errors();
      T read = into.config.*member;
      FieldType<T>::read(*value, read, problems);
      if (problems.errors() > before)
        into.doubtful.push_back(doc.name);
      else
        into.config.*member = std::move(read);
    });
    return *this;
  }
  // A rule across fields; the text is documentation and error message: "every needs sliding".
  Spec& rule(std::string text, bool (*holds)(const Config&)) {
    view_.rules.push_back(text);
    rules_.emplace_back(std::move(text), holds);
    return *this;
  }
  Spec& example(std::string title, std::string yaml) {
    view_.examples.push_back({std::move(title), std::move(yaml)});
    return *this;
  }

  // Reports every problem with its place; nullopt when it is no map at all. `also`: further views
  // whose keys are allowed (the fields common to every source).
  std::optional<Reading<Config>> read(const ConfigNode& node, Diagnostics& problems,
                                      const std::vector<const SpecView*>& also = {}) const {
    if (node.shape != ConfigNode::Shape::map) {
      report_type(node, "a map", problems);
      return std::nullopt;
    }
    Reading<Config> reading;
    reading.node = node;
    std::vector<const SpecView*> views = also;
    views.push_back(&view_);
    reject_unknown_keys(reading.node, views, problems);
    for (const auto& read : readers_) read(reading, problems);
    if (!reading.usable()) return reading;
    for (const auto& [text, holds] : rules_)
      if (!holds(reading.config)) {
        report_rule(node, text, problems);
        reading.rules_hold = false;
        for (const auto& key : keys_in_rule(text, view_))
          reading.doubtful.push_back(key.substr(0, key.find('.')));
      }
    return reading;
  }
  // The same; nullopt when there was a problem.
  std::optional<Config> parse(const ConfigNode& node, Diagnostics& problems,
                              const std::vector<const SpecView*>& also = {}) const {
    const std::size_t before = problems.errors();
    auto reading = read(node, problems, also);
    if (problems.errors() > before) return std::nullopt;
    return std::move(reading->config);
  }
  const SpecView& view() const { return view_; }

 private:
  Spec& set(std::string& member, std::string text) {
    member = std::move(text);
    return *this;
  }
  SpecView view_;
  std::vector<std::function<void(Reading<Config>&, Diagnostics&)>> readers_;
  std::vector<std::pair<std::string, bool (*)(const Config&)>> rules_;
};

// A struct used as a field of another config: specialise NestedSpec<T> with
//   static const Spec<T>& spec();
// and it reads, documents and validates like a component's own fields.
template <class T>
struct NestedSpec;

std::string object_schema(const SpecView& view);

template <class T>
requires requires { NestedSpec<T>::spec(); }
struct FieldType<T> {
  static bool read(const ConfigNode& node, T& into, Diagnostics& problems) {
    auto value = NestedSpec<T>::spec().parse(node, problems);
    if (value) into = std::move(*value);
    return value.has_value();
  }
  static std::string name() { return NestedSpec<T>::spec().view().type; }
  static std::string json_schema() { return object_schema(NestedSpec<T>::spec().view()); }
  static std::string show(const T&) { return ""; }
  static std::vector<FieldView> nested() { return NestedSpec<T>::spec().view().fields; }
};

}  // namespace streamd
