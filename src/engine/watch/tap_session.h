// SPDX-License-Identifier: Apache-2.0
// TapSession: shows one client the records that pass at one place of a running pipeline. Bounded
// whatever passes there and whatever is asked: so many records and bytes a second are shown, a
// tenth of a core is spent, and all else is counted as skipped.
#pragma once

#include "engine/codec/encode.h"
#include "engine/core/clock.h"
#include "engine/io/control/server.h"
#include "engine/runtime/taps.h"
#include "engine/watch/secret_mask.h"
#include "engine/watch/tap_filter.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamd {

inline constexpr std::size_t kTapRecordsPerSecond = 200;
inline constexpr std::size_t kTapBytesPerSecond = 1 << 20;
inline constexpr std::size_t kTapRecordBytes = 64 << 10;  // longer ones are cut

struct TapRequest {
  std::string node, port;
  Schema schema;  // of what passes there
  std::optional<TapFilter> filter;
  std::uint64_t limit = 0;  // of records shown; 0: none
  bool json = false;        // a JSON object per record, instead of a line for people
};

class TapSession final : public control::Session {
 public:
  // `mask` and `clock` must outlive it.
  TapSession(Taps::Tap tap, TapRequest request, const SecretMask& mask, const Clock& clock);
  void work(control::Answer& answer) override;
  // Shows what has passed until now, as far as a moment is enough for it.
  void end(control::Answer& answer) override;

 private:
  bool next_piece(Batch& piece);
  void examine(const Batch& piece, control::Answer& answer);
  void show(const Batch& batch, std::uint32_t row, control::Answer& answer);
  void look_for(Duration at_most, control::Answer& answer);
  void refill(Duration now);
  void tell_skipped(Duration now, control::Answer& answer);
  void finish(control::Answer& answer);
  std::string skipped_text() const;

  Taps::Tap tap_;
  TapRequest request_;
  const SecretMask& mask_;
  const Clock& clock_;
  JsonEncoder encoder_;
  std::vector<Batch> waiting_;
  std::size_t next_batch_ = 0, next_row_ = 0;
  std::size_t piece_rows_;
  std::vector<std::uint32_t> kept_;
  // What may be shown now.
  double records_left_ = kTapRecordsPerSecond, bytes_left_ = kTapBytesPerSecond;
  Duration refilled_, rests_until_, told_at_;
  std::uint64_t shown_ = 0, skipped_ = 0, told_ = 0;
};

}  // namespace streamd
