// SPDX-License-Identifier: Apache-2.0
// The way out to one descriptor, shared by all sinks of this process that write lines to it: what
// one of them could not write yet goes out before what comes next, whoever brings that and on
// whatever thread. So nobody writes into the middle of somebody else's line, and a sink that is
// closed inside of one leaves its rest to those that are still there.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace streamd {

class LineOutlet {
 public:
  // A place in what went in: bytes since the beginning.
  using Mark = std::uint64_t;

  // The one of this descriptor (not owned), made for whoever asks first.
  static std::shared_ptr<LineOutlet> of(int descriptor);

  explicit LineOutlet(int descriptor);

  // Whole lines; they wait until flush() writes them. The mark of their end.
  Mark add(std::string_view lines);
  // The end of all that went in.
  Mark end() const;
  // Whether all is written up to there.
  bool reached(Mark mark) const;
  // Writes until the mark is reached. Never waits longer than `patience` for a reader, so that a
  // stop is not held up; what it does not take stays.
  Status flush(Mark until, Duration patience);

 private:
  Status write_some(Mark until);

  const int descriptor_;
  std::size_t piece_;
  mutable std::mutex mutex_;  // of what follows; never held while waiting for a reader
  std::string pending_;
  Mark written_ = 0;
};

}  // namespace streamd
