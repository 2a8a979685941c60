// SPDX-License-Identifier: Apache-2.0
// What can go wrong inside the folder, before it becomes an Error with its place. Private.
#pragma once

#include "engine/core/error.h"
#include "engine/core/time.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>

namespace streamd::http {

enum class Fault : std::uint8_t {
  stopped,
  timeout,
  name,
  connect,
  proxy,
  certificate,
  tls,
  closed,  // by the far side, before it had answered in full
  garbage,
  too_large,
  redirect,
  request
};

struct Trouble {
  Fault fault = Fault::closed;
  std::string what;  // goes on from "POST host:port: "
  std::string hint = {};
  bool heals = true;
};

template <class T>
using Try = tl::expected<T, Trouble>;

inline tl::unexpected<Trouble> trouble(Fault fault, std::string what, std::string hint = {},
                                       bool heals = true) {
  return tl::unexpected<Trouble>(Trouble{fault, std::move(what), std::move(hint), heals});
}
inline tl::unexpected<Trouble> stopped() { return trouble(Fault::stopped, "stopped"); }

// The trouble as callers of the client see it. `shown`: "POST host:port".
Error to_error(const Trouble& trouble, const std::string& shown);

// How long a call waits at most. Sockets only know real time, so it is no injected clock's.
using Moment = std::chrono::steady_clock::time_point;
struct Wait {
  Moment until;
  std::stop_token stop;
};
inline Moment from_now(Duration d) {
  const auto now = std::chrono::steady_clock::now();
  // A day is forever here and far from the clock's overflow.
  constexpr Duration kLongest = Duration::from_seconds(86'400 * 365);
  const std::int64_t micros = d < kLongest ? d.micros : kLongest.micros;
  return now + std::chrono::microseconds(micros);
}

}  // namespace streamd::http
