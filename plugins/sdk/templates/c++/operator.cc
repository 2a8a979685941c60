// SPDX-License-Identifier: Apache-2.0
#include <streamd/plugin.hpp>

namespace {

// The options of the operator in YAML, with their defaults.
struct Config {
  sd::Column field;
  std::string as = "length";
};

class PluginName : public sd::Operator<Config> {
 public:
  static sd::Spec<Config> spec() {
    return sd::Spec<Config>("plugin_name")
        .summary("Adds the length of a text.")
        .field(&Config::field, {.name = "field", .help = "The text.", .required = true})
        .field(&Config::as, {.name = "as", .help = "The field that gets the length."})
        .adds<std::int64_t>(&Config::as)
        .example("How long a line is", "field: message");
  }

  // Each batch of records: those that are passed go on.
  void process(const sd::Batch& batch, sd::Out& out) {
    auto length = out.added<std::int64_t>(0);
    for (const sd::Record record : batch) {
      const auto text = record[config().field].text();
      if (!text) {
        out.reject(record, "no-text", "the field is no text");
        continue;
      }
      length.set(record, static_cast<std::int64_t>(text->size()));
      out.pass(record);
    }
  }
};

}  // namespace

STREAMD_PLUGIN(sd::plugin("plugin_name", "0.1.0", "Adds the length of a text.").add<PluginName>())
