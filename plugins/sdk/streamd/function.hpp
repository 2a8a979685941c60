// SPDX-License-Identifier: Apache-2.0
// Functions for expressions are functions of C++:
//
//   double dga_score(std::string_view name);
//   …  sd::plugin(…).function<&dga_score>("dga_score", "dga_score(name): how likely …")
//
// Arguments and result may be bool, integers, double, std::string_view, sd::Time, durations,
// std::optional of them (null; at the end also: left out) and sd::Value (anything). A result may be
// a std::string, which is copied, or a view of a part of an argument. What is thrown becomes the
// error of that one record. Functions remember nothing: the engine calls them on any thread, in any
// order, as often as it likes.
#pragma once

#include "component.hpp"
#include "out.hpp"

#include <array>
#include <tuple>
#include <utility>

namespace sd::detail {

template <class T>
inline constexpr bool kOptional = false;
template <class T>
inline constexpr bool kOptional<std::optional<T>> = true;

template <class Function>
struct Signature {
  static_assert(kNever<Function>,
                "function<&name>() takes the address of a free function without overloads");
};

template <class R, class... Args>
struct Signature<R (*)(Args...)> {
  using Result = std::remove_cvref_t<R>;
  using Arguments = std::tuple<std::remove_cvref_t<Args>...>;
  static constexpr std::size_t kCount = sizeof...(Args);
  static_assert(kCount >= 1 && kCount <= 32,
                "a function for expressions takes 1 to 32 arguments: the same ones give the same "
                "result, so one without any would be a constant");
  static_assert((Fieldlike<std::remove_cvref_t<Args>> && ...),
                "an argument of a function for expressions is a bool, a number, a "
                "std::string_view, sd::Time, a duration, sd::Value, or a std::optional of one");
  static_assert(Fieldlike<Result>,
                "a function for expressions returns a bool, a number, a std::string, sd::Time, a "
                "duration, sd::Value, or a std::optional of one");
  static constexpr std::array<std::uint32_t, kCount> kAccepts = {
      As<std::remove_cvref_t<Args>>::accepts...};
  // Arguments at the end that may be left out.
  static constexpr std::uint32_t min_args() {
    constexpr std::array<bool, kCount + 1> optional = {false,
                                                       kOptional<std::remove_cvref_t<Args>>...};
    std::uint32_t count = kCount;
    while (count > 1 && optional[count]) --count;
    return count;
  }
};

template <class R, class... Args>
struct Signature<R (*)(Args...) noexcept> : Signature<R (*)(Args...)> {};

inline sd_value error_value(const Link& link, std::string_view what) {
  try {
    return bytes_value(SD_ERROR, keep(link, what));
  } catch (...) {
    return {SD_ERROR, 0, {.s = nullptr}};
  }
}

template <class T>
T argument(const sd_value* args, std::size_t count, std::size_t number) {
  auto read = As<T>::from(number < count ? Value(args[number]) : Value());
  if (!read) throw Failed("argument " + std::to_string(number + 1) + " is not what it takes");
  return std::move(*read);
}

template <auto Function>
sd_code call(const sd_host* host, void* task, const sd_value* args, std::size_t count,
             sd_value* result) noexcept {
  using S = Signature<decltype(Function)>;
  const Link link{host, task};
  try {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      using Result = typename S::Result;
      Result made =
          Function(argument<std::tuple_element_t<I, typename S::Arguments>>(args, count, I)...);
      if constexpr (std::is_same_v<Result, std::string>)
        *result = As<std::string_view>::to(keep(link, made));
      else if constexpr (std::is_same_v<Result, std::optional<std::string>>)
        *result = made ? As<std::string_view>::to(keep(link, *made)) : sd_value{SD_NULL, 0, {0}};
      else
        *result = As<Result>::to(made);
    }
    (std::make_index_sequence<S::kCount>());
  } catch (const std::exception& error) {
    *result = error_value(link, error.what());
  } catch (...) {
    *result = error_value(link, "the plugin threw something that is no std::exception");
  }
  return SD_OK;
}

}  // namespace sd::detail
