// SPDX-License-Identifier: Apache-2.0
#include <streamd/plugin.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace {

// The options of the sink in YAML, with their defaults.
struct Config {
  std::string path;
};

class PluginName : public sd::Sink<Config> {
 public:
  static constexpr bool kWhole = true;  // all fields of the record: letters.json()

  static sd::Spec<Config> spec() {
    return sd::Spec<Config>("plugin_name")
        .summary("Appends records to a file, as lines of JSON.")
        .promise("at least once")
        .field(&Config::path, {.name = "path", .help = "The file.", .required = true})
        .example("Into a file", "path: output.ndjson");
  }
  ~PluginName() {
    if (file_ != nullptr) std::fclose(file_);
  }

  void open() {
    file_ = std::fopen(config().path.c_str(), "ab");
    if (file_ == nullptr)
      throw sd::Failed(config().path + ": " + std::strerror(errno), "is its folder there?");
  }

  // May keep records until flush().
  void write(const sd::Batch& batch, sd::Letters& letters) {
    for (const sd::Record record : batch) {
      letters.json(record, lines_);
      lines_ += '\n';
    }
  }

  // What was written is on disk when this returns; sd::Retry: not yet, ask again.
  void flush() {
    done_ += std::fwrite(lines_.data() + done_, 1, lines_.size() - done_, file_);
    if (done_ < lines_.size() || std::fflush(file_) != 0 || fsync(fileno(file_)) != 0)
      throw sd::Retry(config().path + ": " + std::strerror(errno), "is the disk full?");
    lines_.clear();
    done_ = 0;
  }

 private:
  std::FILE* file_ = nullptr;
  std::string lines_;
  std::size_t done_ = 0;
};

}  // namespace

STREAMD_PLUGIN(sd::plugin("plugin_name", "0.1.0", "Lines of JSON.").add<PluginName>())
