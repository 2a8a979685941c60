// SPDX-License-Identifier: Apache-2.0
// How code of a plugin says that something went wrong: it throws. Nothing that is thrown gets out
// of the plugin; the engine hears of it in the way of the C interface.
#pragma once

#include "value.hpp"

#include <exception>
#include <string>
#include <utility>

namespace sd {

// Ends the run. message: one fact in lower case; hint: a sentence that says what to do. Any other
// exception does the same with its what().
class Failed : public std::exception {
 public:
  explicit Failed(std::string message, std::string hint = {})
      : message_(std::move(message)), hint_(std::move(hint)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& hint() const { return hint_; }

 private:
  std::string message_, hint_;
};

// In sources and sinks: the world outside is not ready. The engine calls again, later and later.
class Retry : public Failed {
 public:
  using Failed::Failed;
};

namespace detail {

// The engine has refused a call and knows why: nothing more to say.
struct Misused {};

inline void ensure(sd_code code) {
  if (code < 0) throw Misused{};
}

// Runs what may throw at the border to the engine.
template <class Call>
sd_code guarded(const sd_host* host, void* task, Call&& call) noexcept {
  const auto fail = [&](std::string_view message, std::string_view hint) {
    host->fail(task, view(message), view(hint));
  };
  try {
    return call();
  } catch (const Retry& retry) {
    fail(retry.what(), retry.hint());
    return SD_RETRY;
  } catch (const Failed& failed) {
    fail(failed.what(), failed.hint());
  } catch (const Misused&) {
  } catch (const std::exception& error) {
    fail(error.what(), "this came out of the plugin's own code: tell its author");
  } catch (...) {
    fail("the plugin threw something that is no std::exception", "tell its author");
  }
  return SD_FAILED;
}

}  // namespace detail
}  // namespace sd
