// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/recording.h"

#include "engine/codec/encode.h"
#include "engine/expr/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace streamd::testing {
namespace {

bool is_json(std::string_view text) {
  Arena arena;
  return !expr::read_json(text, arena).is(Kind::error);
}

// The parts as a JSON object. What should be JSON and is none is shown as the text that it is.
std::string row_of(const Sent& sent) {
  std::string row = "{";
  for (const auto& part : sent.parts) {
    if (row.size() > 1) row += ',';
    append_json_string(part.name, row);
    row += ':';
    if (part.json && is_json(part.text))
      row += part.text;
    else
      append_json_string(part.text, row);
  }
  return row + "}";
}

class RecordingSink final : public Sink {
 public:
  RecordingSink(std::shared_ptr<Recording> recording, const Schema& schema,
                std::unique_ptr<Rendering> rendering, bool last, const std::string& restored)
      : recording_(std::move(recording)),
        encoder_(schema),
        rendering_(std::move(rendering)),
        last_(last) {
    std::size_t rows = 0, sent = 0;
    const char* const end = restored.data() + restored.size();
    const char* const blank = std::from_chars(restored.data(), end, rows).ptr;
    if (blank != end) std::from_chars(blank + 1, end, sent);
    recording_->rows.resize(std::min(rows, recording_->rows.size()));
    recording_->sent.resize(std::min(sent, recording_->sent.size()));
  }

  Status write(const Batch& batch, Emitter& out) override {
    if (fails()) return fail_for_now("it fails as the test says");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string row;
      encoder_.append(batch, i, row);
      recording_->rows.push_back(std::move(row));
      if (rendering_) STREAMD_TRY(render(batch, i, out));
    }
    return {};
  }
  Status barrier(Epoch) override {
    length_ = fmt::format("{} {}", recording_->rows.size(), recording_->sent.size());
    return {};
  }
  Result<bool> prepared(Epoch) override {
    if (fails()) return fail_for_now("it fails as the test says");
    return true;
  }
  std::string state(Epoch) override { return length_; }

 private:
  bool fails() {
    if (recording_->fails == 0) return false;
    --recording_->fails;
    return true;
  }

  Status render(const Batch& batch, std::size_t i, Emitter& out) {
    sent_.parts.clear();
    const auto fault = rendering_->render(batch, i, sent_);
    if (fault && last_)
      return fail(ErrorKind::data,
                  fmt::format("the sink of the dead letters can't write one: {}", fault->reason));
    if (fault)
      out.reject(batch, i, *fault);
    else
      recording_->sent.push_back(row_of(sent_));
    return {};
  }

  std::shared_ptr<Recording> recording_;
  JsonEncoder encoder_;
  std::unique_ptr<Rendering> rendering_;  // null: nobody knows what the sink makes of a record
  const bool last_;
  Sent sent_;
  std::string length_;
};

}  // namespace

void RecordingPlan::stand_for(std::unique_ptr<SinkPlan> own, bool last) {
  own_ = std::move(own);
  last_ = last;
  Diagnostics none;  // it was bound before, to a schema with fewer fields
  if (renders() != nullptr) own_->bind(in_, none);
}

std::span<const SentField> RecordingPlan::sent_fields() const {
  const Renders* own = renders();
  return own == nullptr ? std::span<const SentField>() : own->sent_fields();
}

Result<std::unique_ptr<Sink>> RecordingPlan::open(SinkContext context) const {
  const Renders* own = renders();
  auto rendering = own == nullptr ? nullptr : own->rendering(context);
  return std::make_unique<RecordingSink>(recording_, in_, std::move(rendering), last_,
                                         context.restored);
}

}  // namespace streamd::testing
