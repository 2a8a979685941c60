// SPDX-License-Identifier: Apache-2.0
// Where an operator puts what it has to say about a batch.
#pragma once

#include "batch.hpp"
#include "component.hpp"

#include <vector>

namespace sd {

// Why records that are no dead letters go no further: each is counted under its reason.
enum class Drop : std::uint32_t {
  filtered = SD_DROP_FILTERED,
  late = SD_DROP_LATE,
  duplicate = SD_DROP_DUPLICATE,
  throttled = SD_DROP_THROTTLED,
  shed = SD_DROP_SHED,  // there was no room for its key
  expired = SD_DROP_EXPIRED,
};

namespace detail {

// Of one instance, used again for each call.
struct Scratch {
  std::vector<std::uint32_t> passed;
  std::vector<sd_value> row;
};

inline void* memory(const Link& link, std::size_t bytes) {
  void* place = link.host->memory(link.task, bytes);
  if (place == nullptr)
    throw Failed("the engine gave no memory for a text of " + std::to_string(bytes) + " bytes",
                 "let the plugin make shorter texts, or reject such records");
  return place;
}

inline std::string_view keep(const Link& link, std::string_view text) {
  if (text.empty()) return {};
  char* copy = static_cast<char*>(memory(link, text.size()));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

}  // namespace detail

// A field that an operator adds to records. Missing in those that nothing was set for.
template <class T>
class Added {
 public:
  Added(sd_value* values, const detail::Link* link) : values_(values), link_(link) {}

  // A text must be part of the record or come from Out::keep(); a std::string is copied.
  void set(const Record& record, const T& value) {
    if constexpr (std::is_same_v<T, std::string>)
      put(record, As<std::string_view>::to(detail::keep(*link_, value)));
    else
      put(record, As<T>::to(value));
  }
  void set(const Record& record, std::string&& value) requires std::same_as<T, std::string_view> {
    put(record, As<T>::to(detail::keep(*link_, value)));
  }

 private:
  // By members: GCC would put the whole together on the stack first.
  void put(const Record& record, const sd_value& value) {
    sd_value& to = values_[record.entry()];
    to.kind = value.kind;
    to.size = value.size;
    to.as.u = value.as.u;
  }
  sd_value* values_;
  const detail::Link* link_;
};

// Makes records: in any call of an operator whose spec says what they are made of (makes()).
class Emitter {
 public:
  Emitter(const detail::Link& link, const std::vector<detail::RowField>& fields,
          const void* row_type, detail::Scratch& scratch)
      : link_(link), fields_(fields), row_type_(row_type), scratch_(scratch) {}

  // Keyed operators: the record begins with the fields of `by`, as in this key; then the row's.
  // time: its event time. id: one that stays the same if the record is made again after a restart,
  // so that sinks write it once; 0: time and values say which it is. Texts are copied.
  template <class Row>
  void emit(std::string_view key, const Row& row, Time time, std::uint64_t id = 0) {
    if (row_type_ != &detail::kTypeTag<Row>)
      throw Failed("emit() got another struct than the spec's makes() has named");
    auto& values = scratch_.row;
    values.clear();
    for (const auto& field : fields_) values.push_back(field.read(&row));
    const sd_row made{time.time_since_epoch().count(), id, values.data(), view(key)};
    detail::ensure(link_.host->emit(link_.task, &made, 1));
  }
  // Operators without keys.
  template <class Row>
  void emit(const Row& row, Time time, std::uint64_t id = 0) {
    static_assert(std::is_class_v<Row>, "emit() takes a struct, whose members makes() has named");
    emit({}, row, time, id);
  }

 protected:
  const detail::Link& link_;
  const std::vector<detail::RowField>& fields_;
  const void* row_type_;
  detail::Scratch& scratch_;
};

// process() gets it. Records that were neither passed, dropped nor rejected count as filtered.
class Out : public Emitter {
 public:
  using Emitter::Emitter;

  // This record goes on, behind those that were passed before.
  void pass(const Record& record) {
    scratch_.passed.push_back(static_cast<std::uint32_t>(record.number()));
  }
  // All records of the batch go on, but those that were rejected.
  void pass_all() { all_ = true; }
  // `count` records go no further.
  void drop(Drop reason, std::size_t count = 1) {
    detail::ensure(link_.host->drop(link_.task, static_cast<std::uint32_t>(reason), count));
  }
  // The record becomes a dead letter. code: kebab-case, for machines; reason: for people.
  void reject(const Record& record, std::string_view code, std::string_view reason) {
    detail::ensure(link_.host->reject(link_.task, record.number(), view(code), view(reason)));
  }

  // The field that the spec has declared as number `output` with adds<T>(). Ask once per batch.
  template <class T>
  Added<T> added(std::uint32_t output) {
    static_assert(Fieldlike<T>, "no field of a record can hold this type");
    sd_value* values = link_.host->column(link_.task, output);
    if (values == nullptr)
      throw Failed("added() was called for output " + std::to_string(output) +
                   ", which the spec does not declare with adds()");
    return {values, &link_};
  }

  // A copy that lives as long as what is made of this batch: for texts of added fields.
  std::string_view keep(std::string_view text) { return detail::keep(link_, text); }

  // For the adapter.
  void finish() {
    if (all_) {
      if (!scratch_.passed.empty()) throw Failed("process() called both pass() and pass_all()");
      detail::ensure(link_.host->pass(link_.task, nullptr, 0));
    } else if (!scratch_.passed.empty()) {
      detail::ensure(link_.host->pass(link_.task, scratch_.passed.data(), scratch_.passed.size()));
    }
  }

 private:
  bool all_ = false;
};

}  // namespace sd
