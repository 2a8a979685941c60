// SPDX-License-Identifier: Apache-2.0
#include "plugin/adapters.h"
#include "plugin/component.h"

#include <fmt/format.h>

#include <algorithm>

namespace streamd::plugin {
namespace {

// What a call may ask for: memory. One per thread, as calls have nothing of their own.
class FunctionTask final : public Task {
 public:
  FunctionTask() : Task({"a plugin", ""}) {}
  void begin(Arena& arena) { arena_ = &arena; }
  void* memory(std::size_t bytes) override {
    constexpr std::size_t kLargest = std::size_t{1} << 20;
    return bytes > kLargest ? nullptr : arena_->allocate(bytes);
  }
  std::string misuse() { return take_misuse(); }

 private:
  Arena* arena_ = nullptr;
};

Value failed(Arena& arena, const std::string& why) { return Value::error(arena.copy(why)); }

// A function of a plugin, called on any thread.
struct PluginFunction {
  const sd_function* function;
  std::string plugin;
  std::string name;
  std::shared_ptr<CallPlace> place;

  // What the check of expressions could not know: kinds that only the record tells.
  bool takes(const Value& value, std::size_t argument) const {
    if (function->accepts_count == 0) return true;
    const std::uint32_t kinds =
        function->accepts[std::min<std::size_t>(argument, function->accepts_count - 1)];
    return kinds == 0 || ((kinds >> static_cast<unsigned>(value.kind())) & 1u) != 0;
  }

  Value operator()(Arena& arena, const Value* args, std::size_t count) const {
    for (std::size_t a = 0; a < count; ++a)
      if (!takes(args[a], a))
        return failed(arena, fmt::format("{}() takes no {} as argument {}", name,
                                         kind_name(args[a].kind()), a + 1));
    thread_local FunctionTask task;
    task.begin(arena);
    Value result = Value::null();
    const Returned returned = call_plugin(*place, nullptr, 0, [&] {
      return function->call(host_table(), static_cast<Task*>(&task), to_abi(args), count,
                            reinterpret_cast<sd_value*>(&result));
    });
    if (!returned.thrown.empty())
      return failed(arena, fmt::format("{}: {}(): {}", plugin, name, returned.thrown));
    if (const std::string misuse = task.misuse(); !misuse.empty())
      return failed(arena, fmt::format("{}: {}(): {}", plugin, name, misuse));
    if (result.is(Kind::error)) return Value::error(arena.copy(result.text()));
    if (returned.code != SD_OK)
      return failed(arena, fmt::format("{}: {}() returned {}", plugin, name, returned.code));
    if (const std::string wrong = wrong_with(result); !wrong.empty())
      return failed(arena, fmt::format("{}: {}(): {}", plugin, name, wrong));
    return result.is(Kind::missing) ? Value::null() : result;
  }
};

// Kinds as the check of expressions names them.
expr::TypeSet accepted(std::uint32_t kinds) {
  if (kinds == 0) return expr::kAnyType;
  expr::TypeSet set = 0;
  for (unsigned kind = SD_NULL; kind <= SD_MAP; ++kind)
    if ((kinds >> kind) & 1u) set |= expr::set_of(type_of(static_cast<Kind>(kind)));
  return set;
}

}  // namespace

void add_function(const Library& library, const sd_function& function,
                  expr::FunctionScope& functions) {
  expr::AddedFunction added;
  added.name = std::string(from_abi(function.name));
  added.summary = std::string(from_abi(function.summary));
  added.plugin = library.name();
  added.style = (function.flags & SD_FUNCTION_MEMBER) != 0 ? expr::CallStyle::member
                                                           : expr::CallStyle::global;
  added.min_args = static_cast<std::uint8_t>(function.min_args);
  added.max_args = static_cast<std::uint8_t>(function.max_args);
  added.result = type_of(static_cast<Kind>(function.result));
  for (std::size_t a = 0; a < std::size(added.accepts) && function.accepts_count > 0; ++a)
    added.accepts[a] =
        accepted(function.accepts[std::min<std::size_t>(a, function.accepts_count - 1)]);
  PluginFunction call{&function, name_of(library), added.name, std::make_shared<CallPlace>()};
  call.place->who = call.plugin;
  call.place->always = added.name + "()";
  call.place->what = call.place->always.c_str();
  added.call = std::move(call);
  functions.add(std::move(added));
}

}  // namespace streamd::plugin
