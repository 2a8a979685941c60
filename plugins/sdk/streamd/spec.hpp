// SPDX-License-Identifier: Apache-2.0
// Spec<Config>: the one declaration of a component. The engine reads YAML by it, explains mistakes
// with it, and prints docs and JSON schema from it. A field name is written here and nowhere else.
//
//   static sd::Spec<Config> spec() {
//     return sd::Spec<Config>("sessions")
//         .summary("Puts the clicks of one visitor together.")
//         .field(&Config::gap, {.name = "gap", .help = "Silence that ends a session."})
//         .makes(&Session::clicks, "clicks")
//         .example("Half an hour", "by: user\ngap: 30m");
//   }
//
// Defaults are the values of a Config{}.
#pragma once

#include "errors.hpp"
#include "tables.hpp"

namespace sd {

struct Field {
  std::string name;                       // snake_case
  std::string help;                       // one sentence
  bool required = false;                  // else the default is what a Config{} holds
  bool secret = false;                    // printed as *** everywhere
  bool advanced = false;                  // last in the docs
  std::string example = {};               // as YAML
  std::vector<std::string> choices = {};  // of a std::string: the only texts it may be
  // Smallest and largest value of numbers, of bytes, and microseconds of durations. most 0 with
  // a least above it: no limit; both 0: any.
  std::int64_t least = 0, most = 0;
};

template <class Config>
class Spec {
  static_assert(std::is_default_constructible_v<Config>,
                "the config struct needs a default for each member: they are the documented ones");

 public:
  explicit Spec(std::string type) { spec().type = tables_->keep(std::move(type)); }

  // One sentence.
  Spec& summary(std::string text) { return keep(spec().summary, std::move(text)); }
  Spec& details(std::string markdown) { return keep(spec().details, std::move(markdown)); }
  // Delivery in words: "at least once".
  Spec& promise(std::string text) { return keep(spec().promise, std::move(text)); }
  // yaml: lines of a node's body, without its type and input.
  Spec& example(std::string title, std::string yaml) {
    keep(spec().example_title, std::move(title));
    return keep(spec().example, std::move(yaml));
  }

  template <class T, class Owner>
  Spec& field(T Owner::*member, Field doc) {
    static_assert(std::is_same_v<Owner, Config>, "field() takes members of the config struct");
    auto& t = *tables_;
    auto& choices = t.choices.emplace_back();
    for (auto& choice : doc.choices) choices.push_back(t.keep(choice));
    std::uint32_t type = FieldType<T>::type;
    if (!choices.empty()) {
      if (type != SD_FIELD_STRING) throw Failed("only texts have choices: " + doc.name);
      type = SD_FIELD_CHOICE;
    }
    if (doc.least > 0 && doc.most == 0) doc.most = INT64_MAX;
    limit<T>(doc);
    const std::uint32_t flags = (doc.required ? SD_FIELD_REQUIRED : 0) |
                                (doc.secret ? SD_FIELD_SECRET : 0) |
                                (doc.advanced ? SD_FIELD_ADVANCED : 0);
    const auto fallback = doc.required ? "" : FieldType<T>::show(Config{}.*member);
    t.field_list.push_back(&t.fields.emplace_back(
        sd_field{sizeof(sd_field), type, flags, static_cast<std::uint32_t>(choices.size()),
                 t.keep(doc.name), t.keep(doc.help), t.keep(fallback), t.keep(doc.example),
                 choices.data(), doc.least, doc.most}));
    offsets_.push_back(detail::offset_of(member));
    readers_.push_back([member](Value value, Config& into, std::uint32_t& columns) {
      auto& field = into.*member;
      FieldType<T>::read(value, field);
      if constexpr (std::is_same_v<T, Column>) field.number = columns++;
      if constexpr (std::is_same_v<T, Columns>) {
        field.first = columns;
        columns += static_cast<std::uint32_t>(field.size());
      }
    });
    return *this;
  }

  // A rule across fields, told at the place of `member`: one fact in lower case, and what to do.
  template <class T>
  Spec& rule(T Config::*member, std::string text, std::string hint, bool (*holds)(const Config&)) {
    rules_.push_back({detail::offset_of(member), std::move(text), std::move(hint), holds});
    return *this;
  }

  // Operators that add fields: declares the next one, number 0, 1, … of Out::added<T>(number).
  template <class T>
  Spec& adds(std::string name) {
    return output(As<T>::kind, std::move(name), -1);
  }
  // The same, named by a text of the config: as: score.
  template <class T>
  Spec& adds(std::string Config::*name) {
    return output(As<T>::kind, {}, number_of(detail::offset_of(name)));
  }

  // Operators that make records: they are made of structs of this type, member by member.
  template <class T, class Row>
  Spec& makes(T Row::*member, std::string name) {
    static_assert(Fieldlike<T>,
                  "a member of a result is a bool, a number, a text, sd::Time, a duration, "
                  "sd::Value, or a std::optional of one of them");
    if (row_type_ != nullptr && row_type_ != &detail::kTypeTag<Row>)
      throw Failed("makes() takes members of one struct");
    row_type_ = &detail::kTypeTag<Row>;
    row_.push_back(
        {[member](const void* row) { return As<T>::to(static_cast<const Row*>(row)->*member); }});
    return output(As<T>::kind, std::move(name), -1);
  }

  // Keyed operators: raise it when the State struct changes. Stored state of another version is not
  // taken for this one's.
  Spec& state_version(std::uint32_t version) {
    state_version_ = version;
    return *this;
  }

  // --- for the adapters of this SDK ---------------------------------------------------------

  // The config of an instance. values: one per field.
  Config read(const sd_value* values) const {
    Config config{};
    std::uint32_t columns = 0;
    for (std::size_t i = 0; i < readers_.size(); ++i)
      readers_[i](Value(values[i]), config, columns);
    return config;
  }

  void check(const sd_host* host, void* task, const sd_value* values) const {
    const Config config = read(values);
    for (const Rule& rule : rules_)
      if (!rule.holds(config))
        host->problem(task, static_cast<std::uint32_t>(number_of(rule.offset)), view(rule.text),
                      view(rule.hint));
  }

  detail::Tables& tables() {
    auto& t = *tables_;
    t.spec.size = sizeof(sd_spec);
    t.spec.field_count = static_cast<std::uint32_t>(t.field_list.size());
    t.spec.fields = t.field_list.data();
    return t;
  }
  const std::vector<detail::RowField>& row() const { return row_; }
  const void* row_type() const { return row_type_; }
  std::uint32_t state_version() const { return state_version_; }

 private:
  struct Rule {
    std::ptrdiff_t offset;
    std::string text, hint;
    bool (*holds)(const Config&);
  };

  sd_spec& spec() { return tables_->spec; }
  Spec& keep(sd_view& into, std::string text) {
    into = tables_->keep(std::move(text));
    return *this;
  }
  Spec& output(std::uint32_t kind, std::string name, std::int32_t name_field) {
    auto& t = *tables_;
    t.output_list.push_back(&t.outputs.emplace_back(
        sd_output{sizeof(sd_output), kind, t.keep(std::move(name)), name_field, 0}));
    return *this;
  }
  std::int32_t number_of(std::ptrdiff_t offset) const {
    for (std::size_t i = 0; i < offsets_.size(); ++i)
      if (offsets_[i] == offset) return static_cast<std::int32_t>(i);
    throw Failed("a member is named that was not declared with field() before");
  }
  // What the C++ type cannot hold, users are told before.
  template <class T>
  static void limit(Field& doc) {
    if constexpr (std::integral<T> && !std::is_same_v<T, bool>) {
      if (doc.least != 0 || doc.most != 0) return;
      if constexpr (std::is_unsigned_v<T> || sizeof(T) < 8) {
        doc.least = static_cast<std::int64_t>(std::numeric_limits<T>::min());
        doc.most = std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                       ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                       : INT64_MAX;
      }
    }
  }

  std::shared_ptr<detail::Tables> tables_ = std::make_shared<detail::Tables>();
  std::vector<std::function<void(Value, Config&, std::uint32_t&)>> readers_;
  std::vector<std::ptrdiff_t> offsets_;
  std::vector<Rule> rules_;
  std::vector<detail::RowField> row_;
  const void* row_type_ = nullptr;
  std::uint32_t state_version_ = 1;
};

}  // namespace sd
