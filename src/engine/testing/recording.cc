// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/recording.h"

#include "engine/codec/encode.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace streamd::testing {
namespace {

class RecordingSink final : public Sink {
 public:
  RecordingSink(std::shared_ptr<Recording> recording, const Schema& schema,
                const std::string& restored)
      : recording_(std::move(recording)), encoder_(schema) {
    std::size_t kept = 0;
    std::from_chars(restored.data(), restored.data() + restored.size(), kept);
    recording_->rows.resize(std::min(kept, recording_->rows.size()));
  }

  Status write(const Batch& batch, Emitter&) override {
    if (fails()) return fail_for_now("it fails as the test says");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string row;
      encoder_.append(batch, i, row);
      recording_->rows.push_back(std::move(row));
    }
    return {};
  }
  Status barrier(Epoch) override {
    length_ = std::to_string(recording_->rows.size());
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

  std::shared_ptr<Recording> recording_;
  JsonEncoder encoder_;
  std::string length_;
};

}  // namespace

Result<std::unique_ptr<Sink>> RecordingPlan::open(SinkContext context) const {
  return std::make_unique<RecordingSink>(recording_, in_, context.restored);
}

}  // namespace streamd::testing
