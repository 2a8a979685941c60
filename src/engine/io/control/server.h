// SPDX-License-Identifier: Apache-2.0
// Server: answers requests over a socket in the file system, on one thread of its own. Whatever a
// client does, nobody but this thread waits for it.
#pragma once

#include "engine/core/clock.h"
#include "engine/core/error.h"
#include "engine/io/control/protocol.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace streamd::control {

// What answers one request. Called on the server's thread; destroyed there when the client is gone.
class Session {
 public:
  virtual ~Session() = default;
  // Called about every 20 ms while there is room for its lines, until it has finished the answer.
  virtual void work(Answer& answer) = 0;
  // The process ends: the last call.
  virtual void end(Answer& answer) = 0;
};

// Makes the session of a request, or answers at once and gives null.
using Handler = std::function<std::unique_ptr<Session>(const Request&, Answer&)>;

struct ServerLimits {
  std::size_t clients = 16;
  // An answer of which so much waits gets no more lines until the client has read some.
  std::size_t unread_bytes = 256 << 10;
  Duration request_within = Duration::from_seconds(5);  // or the client is sent away
  Duration stalled = Duration::from_seconds(60);        // so long without reading: the same
  Duration farewell = Duration::from_millis(200);       // at the end, for all clients together
};

class Server {
 public:
  // `path`: of the socket, which is replaced when one lies there, and removed at the end. The
  // caller owns the folder: no other process may answer there.
  static Result<std::unique_ptr<Server>> open(const std::string& path, Handler handler,
                                              const Clock& clock, ServerLimits limits = {});
  virtual ~Server() = default;
};

}  // namespace streamd::control
