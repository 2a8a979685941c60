// SPDX-License-Identifier: Apache-2.0
// Rendering: what a sink makes of a record, for who wants to see it and not to send it (`streamd
// test`). It is the sink's own code for it, so what a test sees is what a far side would get.
//
// A SinkPlan derives from Renders beside SinkPlan. What it sends is a few named parts, in the words
// of its far side: `topic`, `key` and `value` of Kafka. They are declared once, as a constant array
// of SentField, which is also their documentation.
#pragma once

#include "engine/api/emitter.h"
#include "engine/api/sink.h"
#include "engine/core/batch.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

struct SentField {
  std::string_view name;  // snake_case
  std::string_view help;  // goes on from the name: "where it goes"
};

// The parts of one record that is sent. Plain data, reused.
struct Sent {
  struct Part {
    std::string_view name;  // of a SentField
    std::string text;
    bool json = false;  // the text is JSON, or should be
  };
  std::vector<Part> parts;  // those that there are

  void text(std::string_view name, std::string_view value) {
    parts.push_back({name, std::string(value), false});
  }
  void json(std::string_view name, std::string_view value) {
    parts.push_back({name, std::string(value), true});
  }
};

// One thread. What the plan has bound outlives it.
class Rendering {
 public:
  virtual ~Rendering() = default;
  // Fills `sent`, which is empty. A fault: the sink would reject the record with it; its texts are
  // valid until the next call.
  virtual std::optional<Fault> render(const Batch& batch, std::size_t i, Sent& sent) = 0;
};

class Renders {
 public:
  virtual ~Renders() = default;
  // All that there can be, in order.
  virtual std::span<const SentField> sent_fields() const = 0;
  // After bind(). Opens nothing; of the context only pipeline, node and clock count.
  virtual std::unique_ptr<Rendering> rendering(const SinkContext& context) const = 0;
};

// For a Spec's details: what a test may expect of this sink.
inline std::string sent_details(std::span<const SentField> fields) {
  std::string text = "\n\nWhat it sends of a record can be expected in a test, as `sent`: ";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += i + 1 == fields.size() ? " and " : ", ";
    text += '`' + std::string(fields[i].name) + "` (" + std::string(fields[i].help) + ')';
  }
  return text + '.';
}

}  // namespace streamd
