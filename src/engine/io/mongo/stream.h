// SPDX-License-Identifier: Apache-2.0
// Connections that a stop interrupts: libmongoc's own wait out their time in the kernel. Private to
// this folder.
#pragma once

#include "engine/core/error.h"

#include <mongoc/mongoc.h>

#include <memory>

namespace streamd::mongo {

// Once raised, every connection that waits, or will wait, fails at once. Any thread.
class Interrupt {
 public:
  static Result<std::unique_ptr<Interrupt>> make();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  void raise() noexcept;
  int fd() const { return fd_; }  // readable once raised

 private:
  explicit Interrupt(int fd) : fd_(fd) {}
  int fd_;
};

// Lets `client`, fresh from its pool, connect through streams that end with `interrupt`, which must
// outlive the pool: TCP with TLS as the URI says, or a local socket.
void make_interruptible(mongoc_client_t* client, Interrupt& interrupt);

}  // namespace streamd::mongo
