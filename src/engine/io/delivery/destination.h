// SPDX-License-Identifier: Apache-2.0
// Destination: what a sink over the delivery mechanism implements, and all it implements: how a
// record becomes an item, and how some items are sent. Waiting, retrying, splitting, ordering,
// dead letters and what survives a crash are the mechanism's (delivery_sink.h).
#pragma once

#include "engine/api/emitter.h"
#include "engine/core/batch.h"
#include "engine/io/delivery/item.h"

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace streamd::delivery {

// What became of one item.
struct Verdict {
  enum class Kind {
    done,     // it is there
    again,    // not now; the same item may go later
    unsent,   // it was not its turn: it goes before what comes after it, when the pause is over
    refused,  // never: it becomes a dead letter with `code` and `reason`
  };
  Kind kind = Kind::done;
  std::string code;    // kebab-case, for people's rules: "mapping", "too-large"
  std::string reason;  // the service's own words
};

// What became of a request.
struct Answer {
  enum class Kind {
    each,     // see `items`, one verdict for each item sent, in order
    again,    // nobody knows, or not now: all of them go again after a pause
    split,    // too much at once: two halves go; a single item is refused as "too-large"
    blocked,  // a person has to do something (credentials, permissions): told as an error, tried
              // again slowly
    closed,   // the far side is gone for good: it is not called again in this run, and what is
              // left and what comes becomes dead letters with `code` and `message`
  };
  Kind kind = Kind::each;
  std::vector<Verdict> items;
  std::string code;  // closed
  // again, blocked, closed: what happened, without secrets. each: what stopped the sending of
  // several requests short of its end, or keeps all items from being taken, where time heals it;
  // "" = nothing did.
  std::string message;
  std::string hint;  // what can be done about it
  // Nothing is sent before so much time is over, whatever the kind; zero = as the mechanism thinks
  // best. A pause after a good answer is no trouble and is not told.
  Duration pause{};
};

class Destination {
 public:
  virtual ~Destination() = default;
  // Fills id, route, document and, if it differs from the document, raw. The texts are views into
  // what this object owns and are used before its next call. A fault: the record is rejected.
  // Worker thread only.
  virtual std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) = 0;
  // Sends at least one item; returns soon once a stop is requested (kind again, then). Called by
  // one delivery thread at a time, or by as many at once as `concurrency` says, beside encode().
  virtual Answer send(std::span<const Item> items, std::stop_token stop) = 0;
};

}  // namespace streamd::delivery
