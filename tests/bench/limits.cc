// SPDX-License-Identifier: Apache-2.0
// bench_limits FILE [FIELD…]: what reading a file costs at least. One line of JSON with the CPU
// time of three passes: the bytes alone; the bytes and the line ends; and, when the lines are JSON
// objects, a bare simdjson pass that takes out the fields, or the six which the nginx job uses.
#include <simdjson.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr std::size_t kLongest = std::size_t{1} << 16;
constexpr std::array<const char*, 6> kFields = {"client_ip", "status",  "request_time",
                                                "host",      "country", "@timestamp"};

double cpu_now() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

// Reads the file in blocks of whole lines, into memory that simdjson may read beyond.
class Blocks {
 public:
  explicit Blocks(const char* path)
      : file_(open(path, O_RDONLY | O_CLOEXEC)),
        memory_(new char[kLongest + kBlock + simdjson::SIMDJSON_PADDING]()) {}
  ~Blocks() {
    if (file_ >= 0) close(file_);
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  bool good() const { return file_ >= 0; }
  // Empty at the end.
  std::string_view next() {
    std::memcpy(memory_.get(), memory_.get() + used_, left_);
    const ssize_t got = read(file_, memory_.get() + left_, kBlock);
    if (got <= 0) return {};
    const std::size_t size = left_ + static_cast<std::size_t>(got);
    const void* end = memrchr(memory_.get(), '\n', size);
    if (end == nullptr) return {};
    used_ = static_cast<std::size_t>(static_cast<const char*>(end) - memory_.get()) + 1;
    left_ = size - used_;
    return left_ < kLongest ? std::string_view(memory_.get(), used_) : std::string_view();
  }

 private:
  int file_;
  std::unique_ptr<char[]> memory_;
  std::size_t used_ = 0;
  std::size_t left_ = 0;
};

struct Count {
  std::uint64_t bytes = 0, records = 0, field_bytes = 0;
};

void count_bytes(std::string_view block, Count& count) { count.bytes += block.size(); }

void count_lines(std::string_view block, Count& count) {
  count.bytes += block.size();
  while (!block.empty()) {
    const auto* end = static_cast<const char*>(std::memchr(block.data(), '\n', block.size()));
    block.remove_prefix(static_cast<std::size_t>(end - block.data()) + 1);
    ++count.records;
  }
}

using Object = simdjson::ondemand::object;

// The fields of the nginx job, in their order.
bool take_fields(Object& object, Count& count) {
  for (const char* name : kFields) {
    std::string_view text;
    if (object.find_field(name).get_string().get(text) != simdjson::SUCCESS) return false;
    count.field_bytes += text.size();
  }
  return true;
}

// These, wherever they stand and whatever they are.
bool take_named(Object& object, const std::vector<std::string>& names, Count& count) {
  for (const auto& name : names) {
    simdjson::ondemand::value value;
    if (object.find_field_unordered(name).get(value) != simdjson::SUCCESS) return false;
    count.field_bytes += value.raw_json_token().size();
  }
  return true;
}

bool parse_block(simdjson::ondemand::parser& parser, std::string_view block,
                 const std::vector<std::string>& names, Count& count) {
  count.bytes += block.size();
  simdjson::ondemand::document_stream stream;
  if (parser.iterate_many(block.data(), block.size(), kLongest + kBlock).get(stream) !=
      simdjson::SUCCESS)
    return false;
  for (auto document : stream) {
    Object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return false;
    if (!(names.empty() ? take_fields(object, count) : take_named(object, names, count)))
      return false;
    ++count.records;
  }
  return true;
}

struct Pass {
  double cpu = 0, wall = 0;
  Count count;
  bool good = false;
};

template <typename Each>
Pass pass(const char* path, Each each) {
  Pass made;
  Blocks blocks(path);
  if (!blocks.good()) return made;
  const double cpu = cpu_now();
  const auto begin = std::chrono::steady_clock::now();
  made.good = true;
  for (auto block = blocks.next(); made.good && !block.empty(); block = blocks.next())
    made.good = each(block, made.count);
  made.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  made.cpu = cpu_now() - cpu;
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_limits FILE [FIELD...]\n", stderr);
    return 2;
  }
  const std::vector<std::string> names(argv + 2, argv + argc);
  const auto bytes =
      pass(argv[1], [](auto block, Count& c) { return count_bytes(block, c), true; });
  const auto lines =
      pass(argv[1], [](auto block, Count& c) { return count_lines(block, c), true; });
  simdjson::ondemand::parser parser;
#ifdef SIMDJSON_THREADS_ENABLED
  parser.threaded = false;  // one thread, so that what is measured is one core's work
#endif
  const auto json =
      pass(argv[1], [&](auto block, Count& c) { return parse_block(parser, block, names, c); });
  if (!bytes.good || !lines.good || lines.count.records == 0) {
    std::fprintf(stderr, "%s: cannot be read\n", argv[1]);
    return 1;
  }
  const auto per_record = [&](const Pass& p) {
    return p.cpu * 1e9 / static_cast<double>(lines.count.records);
  };
  std::printf(
      "{\"records\": %lu, \"bytes\": %lu, \"read_mb_s\": %.0f, \"read_ns\": %.2f, "
      "\"lines_ns\": %.2f, \"json_ns\": %.2f, \"field_bytes\": %lu, \"simdjson\": \"%s %s\"}\n",
      lines.count.records, bytes.count.bytes,
      static_cast<double>(bytes.count.bytes) / 1e6 / bytes.wall, per_record(bytes),
      per_record(lines), json.good ? per_record(json) : 0.0, json.count.field_bytes,
      SIMDJSON_STRINGIFY(SIMDJSON_VERSION),
      std::string(simdjson::get_active_implementation()->name()).c_str());
  return 0;
}
