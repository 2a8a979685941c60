// SPDX-License-Identifier: Apache-2.0
#include "engine/app/signals.h"

#include <pthread.h>

#include <signal.h>
#include <thread>
#include <unistd.h>

namespace streamd {

void stop_on_signals(std::stop_source stop) {
  signal(SIGPIPE, SIG_IGN);
  // All threads inherit the mask, so the signals arrive in the one that waits for them.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set, stop]() mutable {
    int number = 0;
    sigwait(&set, &number);
    stop.request_stop();
    sigwait(&set, &number);
    _exit(128 + number);
  }).detach();
}

}  // namespace streamd
