// SPDX-License-Identifier: Apache-2.0
// A far side that answers as the test says, and keeps what arrived.
#pragma once

#include "engine/io/delivery/destination.h"
#include "tests/engine/io/delivery/items.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace streamd::test {

class FarSide {
 public:
  using Respond = std::function<delivery::Answer(const Texts&)>;

  // From now on; the default takes everything.
  void respond(Respond respond) {
    const std::lock_guard lock(mutex_);
    respond_ = std::move(respond);
  }
  delivery::Answer take(const Texts& documents) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    auto answer = respond_ ? respond_(documents) : delivery::Answer{};
    if (answer.kind == delivery::Answer::Kind::each && answer.items.empty())
      answer.items.resize(documents.size());
    if (answer.kind == delivery::Answer::Kind::each)
      for (std::size_t i = 0; i < documents.size(); ++i)
        if (answer.items[i].kind == delivery::Verdict::Kind::done) arrived_.push_back(documents[i]);
    return answer;
  }
  // Asks until it holds, for at most a minute; called without a lock.
  static bool wait(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  bool wait_for(std::size_t records) {
    return wait([&] { return arrived().size() >= records; });
  }
  Texts arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }
  int requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  Respond respond_;
  Texts arrived_;
  int requests_ = 0;
};

// The document is the value of the first column; a value "bad" can't be encoded.
class FakeDestination final : public delivery::Destination {
 public:
  explicit FakeDestination(FarSide& far) : far_(far) {}
  std::optional<Fault> encode(const Batch& batch, std::size_t i, delivery::Item& item) override {
    item.id = item.document = batch.at(0, i).text();
    if (item.document == "bad") return Fault{"encode", "it is bad"};
    item.raw = "raw";
    return std::nullopt;
  }
  delivery::Answer send(std::span<const delivery::Item> items, std::stop_token) override {
    Texts documents;
    for (const auto& item : items) documents.emplace_back(item.document);
    return far_.take(documents);
  }

 private:
  FarSide& far_;
};

inline delivery::Answer again(const std::string& why = "connection refused") {
  delivery::Answer answer;
  answer.kind = delivery::Answer::Kind::again;
  answer.message = why;
  return answer;
}

inline delivery::Answer refuse_all(std::size_t n) {
  delivery::Answer answer;
  answer.items.assign(n, {delivery::Verdict::Kind::refused, "mapping", "no number"});
  return answer;
}

}  // namespace streamd::test
