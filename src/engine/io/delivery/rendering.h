// SPDX-License-Identifier: Apache-2.0
// The Rendering of a sink over the delivery mechanism: its destination's encode(), and no sending.
#pragma once

#include "engine/api/rendering.h"
#include "engine/io/delivery/destination.h"

#include <functional>
#include <memory>
#include <utility>

namespace streamd::delivery {

// What of an item is sent.
using Tell = std::function<void(const Item& item, Sent& sent)>;

class ItemRendering final : public Rendering {
 public:
  // Only encode() of the destination is called, so it needs no client.
  ItemRendering(std::unique_ptr<Destination> destination, Tell tell)
      : destination_(std::move(destination)), tell_(std::move(tell)) {}

  std::optional<Fault> render(const Batch& batch, std::size_t i, Sent& sent) override {
    Item item;
    if (const auto fault = destination_->encode(batch, i, item)) return fault;
    tell_(item, sent);
    return std::nullopt;
  }

 private:
  const std::unique_ptr<Destination> destination_;
  const Tell tell_;
};

}  // namespace streamd::delivery
