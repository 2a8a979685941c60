// SPDX-License-Identifier: Apache-2.0
#include "plugin/library.h"

#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace streamd::plugin {
namespace {

constexpr const char* kSymbol = "streamd_plugin";

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

// Whoever may write the file may run code as this process.
Status check_owner(const std::string& real) {
  struct stat about {};
  if (::stat(real.c_str(), &about) != 0)
    return fail(ErrorKind::plugin, std::strerror(errno), "Give the path of a shared library.");
  if (!S_ISREG(about.st_mode))
    return fail(ErrorKind::plugin, "it is not a file", "Give the path of a shared library.");
  if ((about.st_mode & S_IWOTH) != 0)
    return fail(ErrorKind::plugin, "every user of this machine may change the file",
                fmt::format("Take that right away: chmod o-w {}", real));
  const std::string folder = folder_of(real);
  if (::stat(folder.c_str(), &about) == 0 && (about.st_mode & S_IWOTH) != 0 &&
      (about.st_mode & S_ISVTX) == 0)
    return fail(ErrorKind::plugin, "every user of this machine may replace the file",
                fmt::format("Take the right to write in its folder away: chmod o-w {}", folder));
  return {};
}

std::string_view machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_386: return "i386";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390x";
    default: return "an unknown architecture";
  }
}

constexpr unsigned own_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#elif defined(__riscv)
  return EM_RISCV;
#elif defined(__powerpc64__)
  return EM_PPC64;
#elif defined(__s390x__)
  return EM_S390;
#else
  return EM_NONE;
#endif
}

Status check_format(const std::string& real) {
  Elf64_Ehdr header{};
  const int file = ::open(real.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return fail(ErrorKind::plugin, std::strerror(errno), "Let this user read the file.");
  const ssize_t got = ::read(file, &header, sizeof header);
  ::close(file);
  const bool elf = got == static_cast<ssize_t>(sizeof header) &&
                   std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
  if (!elf || header.e_type != ET_DYN)
    return fail(ErrorKind::plugin, "it is not a shared library",
                "Build it with -shared -fPIC, or with streamd_add_plugin() in CMake.");
  if (own_machine() != EM_NONE &&
      (header.e_machine != own_machine() || header.e_ident[EI_CLASS] != ELFCLASS64))
    return fail(ErrorKind::plugin,
                fmt::format("it is built for {}, and this is {}", machine_name(header.e_machine),
                            machine_name(own_machine())),
                "Build it for this machine.");
  return {};
}

bool bad_text(sd_view text, bool may_be_empty) {
  return text.data == nullptr ? text.size > 0 || !may_be_empty : text.size == 0 && !may_be_empty;
}

std::string wrong_with_spec(const sd_spec* spec) {
  if (spec == nullptr || spec->size < kFirstSpec) return "a component has no spec";
  if (bad_text(spec->type, false)) return "a component has no type";
  const std::string type(from_abi(spec->type));
  if (bad_text(spec->summary, false)) return fmt::format("\"{}\" has no summary", type);
  if (spec->field_count > 0 && spec->fields == nullptr)
    return fmt::format("\"{}\" has no fields where {} are said to be", type, spec->field_count);
  for (std::uint32_t f = 0; f < spec->field_count; ++f) {
    const sd_field* const field = spec->fields[f];
    if (field == nullptr || field->size < kFirstField || bad_text(field->name, false) ||
        field->type < SD_FIELD_STRING || field->type > SD_FIELD_COLUMNS ||
        (field->type == SD_FIELD_CHOICE && (field->choice_count == 0 || field->choices == nullptr)))
      return fmt::format("field {} of \"{}\" makes no sense", f, type);
  }
  return "";
}

// The calls that the engine makes without asking; the others may be null.
template <class Component, class... Calls>
std::string wrong_with_component(const Component* component, std::size_t smallest,
                                 Calls... required) {
  if (component == nullptr || component->size < smallest) return "a component is too short";
  if (std::string wrong = wrong_with_spec(component->spec); !wrong.empty()) return wrong;
  if (((component->*required == nullptr) || ...))
    return fmt::format("\"{}\" lacks a call that it must have", from_abi(component->spec->type));
  return "";
}

std::string wrong_with_operator(const sd_operator* op) {
  std::string wrong = wrong_with_component(op, kFirstOperator, &sd_operator::create,
                                           &sd_operator::on_batch, &sd_operator::destroy);
  if (!wrong.empty()) return wrong;
  const std::string_view type = from_abi(op->spec->type);
  if (op->output_count > 0 && op->outputs == nullptr)
    return fmt::format("\"{}\" has no outputs where {} are said to be", type, op->output_count);
  for (std::uint32_t o = 0; o < op->output_count; ++o) {
    const sd_output* const output = op->outputs[o];
    if (output == nullptr || output->size < kFirstOutput || output->kind > SD_MAP ||
        output->name_field >= static_cast<std::int64_t>(op->spec->field_count) ||
        (output->name_field < 0 && bad_text(output->name, false)))
      return fmt::format("output {} of \"{}\" makes no sense", o, type);
  }
  if ((op->flags & SD_OPERATOR_RESULTS) != 0 && op->output_count == 0)
    return fmt::format("\"{}\" makes records without a field", type);
  return "";
}

std::string wrong_with_function(const sd_function* function) {
  if (function == nullptr || function->size < kFirstFunction || bad_text(function->name, false) ||
      function->call == nullptr)
    return "a function has no name or no call";
  if (function->min_args < 1 || function->min_args > function->max_args ||
      function->max_args > 32 || function->result > SD_MAP ||
      (function->accepts_count > 0 && function->accepts == nullptr))
    return fmt::format("the arguments of {}() make no sense", from_abi(function->name));
  return "";
}

template <class Component, class Judge>
std::string wrong_with_each(const Component* const* all, std::uint32_t count, Judge judge) {
  if (count > 0 && all == nullptr) return "a list of components is missing";
  for (std::uint32_t i = 0; i < count; ++i)
    if (std::string wrong = judge(all[i]); !wrong.empty()) return wrong;
  return "";
}

tl::unexpected<Error> refused(const std::string& path, Error why) {
  why.message = fmt::format("plugin {} is not loaded: {}", path, why.message);
  return tl::unexpected<Error>(std::move(why));
}

}  // namespace

std::string wrong_with(const sd_plugin* table) {
  if (table->size < kFirstPlugin) return "its table is too short";
  if (bad_text(table->name, false)) return "it has no name";
  std::string wrong = wrong_with_each(table->operators, table->operator_count, wrong_with_operator);
  if (wrong.empty())
    wrong = wrong_with_each(table->sources, table->source_count, [](const sd_source* source) {
      return wrong_with_component(source, kFirstSource, &sd_source::open, &sd_source::pull,
                                  &sd_source::position, &sd_source::close);
    });
  if (wrong.empty())
    wrong = wrong_with_each(table->sinks, table->sink_count, [](const sd_sink* sink) {
      return wrong_with_component(sink, kFirstSink, &sd_sink::open, &sd_sink::write,
                                  &sd_sink::flush, &sd_sink::close);
    });
  if (wrong.empty())
    wrong = wrong_with_each(table->functions, table->function_count, wrong_with_function);
  return wrong;
}

Result<Library> open_library(const std::string& path) {
  std::array<char, PATH_MAX> real{};
  if (::realpath(path.c_str(), real.data()) == nullptr)
    return refused(path, {ErrorKind::plugin, Retry::never, std::strerror(errno),
                          "Give the path of a shared library."});
  Library library{path, real.data()};
  if (Status good = check_owner(library.real); !good) return refused(path, good.error());
  if (Status good = check_format(library.real); !good) return refused(path, good.error());
  void* const handle = ::dlopen(library.real.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr)
    return refused(path, {ErrorKind::plugin, Retry::never, ::dlerror(),
                          "Install what it needs, or build it on this system."});
  void* const symbol = ::dlsym(handle, kSymbol);
  if (symbol == nullptr)
    return refused(path,
                   {ErrorKind::plugin, Retry::never, fmt::format("it has no symbol {}", kSymbol),
                    "It is not a plugin of streamd, or does not export the symbol: see "
                    "streamd_plugin.h."});
  library.table = reinterpret_cast<decltype(&streamd_plugin)>(symbol)();
  if (library.table == nullptr)
    return refused(path, {ErrorKind::plugin, Retry::never,
                          fmt::format("{}() returns nothing", kSymbol), "Ask its author."});
  if (library.table->abi != STREAMD_PLUGIN_ABI)
    return refused(path, {ErrorKind::plugin, Retry::never,
                          fmt::format("it is built for plugin ABI {}, and this streamd has {}",
                                      library.table->abi, STREAMD_PLUGIN_ABI),
                          "Build it with the header of this streamd."});
  if (const std::string wrong = wrong_with(library.table); !wrong.empty())
    return refused(path, {ErrorKind::plugin, Retry::never, wrong, "Ask its author."});
  return library;
}

}  // namespace streamd::plugin
