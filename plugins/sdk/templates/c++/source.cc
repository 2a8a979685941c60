// SPDX-License-Identifier: Apache-2.0
#include <streamd/plugin.hpp>

namespace {

// The options of the source in YAML, with their defaults.
struct Config {
  std::int64_t count = 10;
};

class PluginName : public sd::Source<Config> {
 public:
  static constexpr bool kBounded = true;  // it ends by itself

  static sd::Spec<Config> spec() {
    return sd::Spec<Config>("plugin_name")
        .summary("Counts: records with the numbers from 0 on.")
        .promise("exactly once, as far as the sink goes")
        .field(&Config::count, {.name = "count", .help = "How many records.", .least = 1})
        .example("Three records", "count: 3");
  }

  // position: what position() said at the last checkpoint of an earlier run, or empty.
  void open(std::string_view position) {
    if (!position.empty()) next_ = std::stoll(std::string(position));
  }

  sd::Pulled pull(std::size_t max_records, sd::Duration, sd::Feed& feed) {
    for (; max_records > 0 && next_ < config().count; --max_records, ++next_)
      feed.record("{\"number\": " + std::to_string(next_) + "}", static_cast<std::uint64_t>(next_));
    return next_ < config().count ? sd::Pulled::more : sd::Pulled::end;
  }

  std::string position() const { return std::to_string(next_); }

 private:
  std::int64_t next_ = 0;
};

}  // namespace

STREAMD_PLUGIN(sd::plugin("plugin_name", "0.1.0", "Counts.").add<PluginName>())
