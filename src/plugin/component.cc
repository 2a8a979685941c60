// SPDX-License-Identifier: Apache-2.0
#include "plugin/component.h"

#include "engine/api/spec.h"
#include "engine/codec/utf8.h"

#include <fmt/format.h>

namespace streamd::plugin {
namespace {

constexpr int kDeepest = 32;

// The instance that a check is: its problems land at the places of the fields.
class CheckTask final : public Task {
 public:
  CheckTask(const Settings& settings, const sd_spec& spec, const ConfigNode& node,
            Diagnostics& problems)
      : Task({settings.plugin, ""}), spec_(spec), node_(node), problems_(problems) {}

  void problem(std::uint32_t field, sd_view message, sd_view hint) override {
    if (field >= spec_.field_count) {
      misused(fmt::format("it reported a problem of field {}, and there are {}", field,
                          spec_.field_count));
      return;
    }
    const ConfigNode* const written = node_.find(from_abi(spec_.fields[field]->name));
    problems_.error("rule", written == nullptr ? node_.place : written->place,
                    std::string(from_abi(message)), std::string(from_abi(hint)));
  }

 private:
  const sd_spec& spec_;
  const ConfigNode& node_;
  Diagnostics& problems_;
};

}  // namespace

std::string name_of(const Library& library) {
  return fmt::format("plugin \"{}\" ({})", library.name(), library.path);
}

std::shared_ptr<Settings> read_settings(const Library& library, const sd_spec& spec, sd_check check,
                                        const ConfigNode& node, Diagnostics& problems) {
  const std::size_t before = problems.errors();
  auto settings = std::make_shared<Settings>();
  settings->plugin = name_of(library);
  settings->type = std::string(from_abi(spec.type));
  settings->place = node.place;
  settings->options.read(spec, node, problems);
  settings->columns.parse(settings->options.columns(), problems);
  if (check != nullptr) {
    CheckTask task(*settings, spec, node, problems);
    const auto checked = task.call(
        "check", {}, [&] { return check(host_table(), &task, settings->options.values()); });
    if (!checked)
      problems.error("plugin", node.place, checked.error().message, checked.error().hint);
  }
  return problems.errors() == before ? settings : nullptr;
}

std::shared_ptr<Settings> read_node(const Library& library, const sd_spec& spec, sd_check check,
                                    const SpecView& own, const ConfigNode& node,
                                    std::vector<const SpecView*> also, Diagnostics& problems) {
  if (node.shape != ConfigNode::Shape::map) {
    report_type(node, "a map", problems);
    return nullptr;
  }
  const std::size_t before = problems.errors();
  ConfigNode corrected = node;
  also.push_back(&own);
  reject_unknown_keys(corrected, also, problems);
  const auto settings = read_settings(library, spec, check, corrected, problems);
  return problems.errors() == before ? settings : nullptr;
}

std::string wrong_with(const Value& value, int depth) {
  if (to_abi(&value)->kind > SD_ERROR)
    return fmt::format("a value is of kind {}, which there is not", to_abi(&value)->kind);
  if (depth > kDeepest) return "a value is nested too deeply";
  switch (value.kind()) {
    case Kind::string:
    case Kind::json:
    case Kind::bytes:
      if (value.text().data() == nullptr && value.size() > 0) return "a text is at no address";
      if (!value.is(Kind::bytes) && !is_utf8(value.text())) return "a text is no UTF-8";
      return "";
    case Kind::ip:
      if (value.size() != 4 && value.size() != 16)
        return fmt::format("an address has {} bytes", value.size());
      return value.text().data() == nullptr ? "an address is at no address" : "";
    case Kind::cidr:
      if (value.size() != 5 && value.size() != 17)
        return fmt::format("a network has {} bytes", value.size());
      return value.text().data() == nullptr ? "a network is at no address" : "";
    case Kind::list:
    case Kind::map: {
      const std::size_t count = std::size_t{value.size()} * (value.is(Kind::map) ? 2 : 1);
      if (value.items() == nullptr && count > 0) return "a list is at no address";
      for (std::size_t i = 0; i < count; ++i)
        if (std::string wrong = wrong_with(value.items()[i], depth + 1); !wrong.empty())
          return wrong;
      return "";
    }
    case Kind::error: return "a value is an error, which only functions give";
    default: return "";
  }
}

}  // namespace streamd::plugin
