// SPDX-License-Identifier: Apache-2.0
// The smallest test runner that says what went wrong and where:
//
//   int main() {
//     return sd::test::run({
//         {"a gap ends a session", [] { sd::test::equal(sessions().size(), 2u); }},
//     });
//   }
#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sd::test {

class Unexpected : public std::runtime_error {
 public:
  Unexpected(const char* file, int line, const std::string& what)
      : std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what) {}
};

namespace detail {
template <class T>
std::string show(const T& value) {
  if constexpr (requires { value.show(); }) {
    return value.show();
  } else if constexpr (requires(std::ostream & out) { out << value; }) {
    std::ostringstream out;
    out << value;
    return out.str();
  } else {
    return "something else";
  }
}
}  // namespace detail

inline void expect(bool holds, std::string_view what = "this does not hold",
                   const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!holds) throw Unexpected(file, line, std::string(what));
}

template <class A, class B>
void equal(const A& found, const B& expected, const char* file = __builtin_FILE(),
           int line = __builtin_LINE()) {
  if (!(found == expected))
    throw Unexpected(file, line,
                     "found " + detail::show(found) + ", expected " + detail::show(expected));
}

// The call must throw an Error whose text has `part` in it.
template <class Error, class Call>
void throws(Call&& call, std::string_view part = {}, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) {
  try {
    call();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find(part) == std::string_view::npos)
      throw Unexpected(file, line, "the error says: " + std::string(error.what()));
    return;
  }
  throw Unexpected(file, line, "nothing was thrown");
}

struct Case {
  const char* name;
  std::function<void()> body;
};

// What main() returns: 0 when all cases pass.
inline int run(const std::vector<Case>& cases) {
  int failed = 0;
  for (const Case& one : cases) {
    try {
      one.body();
      std::printf("ok      %s\n", one.name);
      std::fflush(stdout);  // seen even if the next one crashes
    } catch (const std::exception& error) {
      std::printf("FAILED  %s\n        %s\n", one.name, error.what());
      ++failed;
    }
  }
  std::printf("%zu tests, %d failed\n", cases.size(), failed);
  return failed == 0 && !cases.empty() ? 0 : 1;
}

}  // namespace sd::test
