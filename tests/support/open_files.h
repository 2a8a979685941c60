// SPDX-License-Identifier: Apache-2.0
// Few descriptors for the process, until the end of the test.
#pragma once

#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace streamd::test {

class OpenFilesLimit {
 public:
  explicit OpenFilesLimit(rlim_t files) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit few = before_;
    few.rlim_cur = files;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~OpenFilesLimit() {
    for (const int descriptor : taken_) ::close(descriptor);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  OpenFilesLimit(const OpenFilesLimit&) = delete;
  OpenFilesLimit& operator=(const OpenFilesLimit&) = delete;

  // As others would that open files.
  void take_all_but(std::size_t left) {
    for (int descriptor; (descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
      taken_.push_back(descriptor);
    REQUIRE(taken_.size() > left);
    for (; left > 0; --left) {
      ::close(taken_.back());
      taken_.pop_back();
    }
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace streamd::test
