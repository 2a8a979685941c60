// SPDX-License-Identifier: Apache-2.0
// What a Spec is made into: the tables of the C interface.
#pragma once

#include "field_type.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace sd {

namespace detail {

// Only its address counts: one for each type.
template <class T>
inline constexpr char kTypeTag = 0;

// One output of an operator that makes records.
struct RowField {
  std::function<sd_value(const void* row)> read;
};

// The tables that the engine reads, and the texts they point to. Lives as long as the process.
struct Tables {
  std::deque<std::string> texts;
  std::deque<std::vector<sd_view>> choices;
  std::deque<sd_field> fields;
  std::vector<const sd_field*> field_list;
  std::deque<sd_output> outputs;
  std::vector<const sd_output*> output_list;
  sd_spec spec{};

  sd_view keep(std::string text) { return view(texts.emplace_back(std::move(text))); }
};

template <class Config, class T>
std::ptrdiff_t offset_of(T Config::*member) {
  static const Config config{};
  return reinterpret_cast<const char*>(&(config.*member)) - reinterpret_cast<const char*>(&config);
}

}  // namespace detail

}  // namespace sd
