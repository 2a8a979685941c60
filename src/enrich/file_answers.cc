// SPDX-License-Identifier: Apache-2.0
#include "enrich/file_answers.h"

#include <utility>
#include <vector>

namespace streamd::enrich {
namespace {

class FileAnswers final : public Answerer {
 public:
  FileAnswers(std::shared_ptr<LookupFile> file, std::function<void(int, const std::string&)> log)
      : file_(std::move(file)), log_(std::move(log)) {}

  Result<bool> renew(Duration now) override {
    auto present = file_->now(now);
    if (!present) return tl::unexpected(std::move(present).error());
    if (!present->problem.empty() && log_)
      log_(1, present->problem + "; the entries read before stay in use");
    if (present->lookup == lookup_) return false;
    lookup_ = std::move(present->lookup);
    return true;
  }
  Known look(std::string_view key, Arena& arena, Value* into) override {
    return lookup_->find(key, arena, into) ? Known::found : Known::nothing;
  }
  std::shared_ptr<const void> owner() const override { return lookup_; }
  Status ask(const Batch&, Questions&) override { return {}; }

 private:
  const std::shared_ptr<LookupFile> file_;
  const std::function<void(int, const std::string&)> log_;
  std::shared_ptr<const Lookup> lookup_;
};

std::vector<std::string> read_fields(const Config& config) {
  std::vector<std::string> inside;
  for (const auto& [name, from] : config.fields) inside.push_back(from);
  return inside;
}

}  // namespace

std::shared_ptr<LookupFile> open_file(const Config& config) {
  const std::vector<std::string> inside = read_fields(config);
  const std::string key = config.key.empty() ? config.field : config.key;
  OpenLookup open;
  if (config.kind == EnrichKind::table)
    open = [key, inside](const std::string& path) { return open_table(path, key, inside); };
  else
    open = [inside](const std::string& path) { return open_mmdb(path, inside); };
  return std::make_shared<LookupFile>(config.path, config.refresh, std::move(open));
}

std::shared_ptr<LookupFile> stand_in_file(const Config& config, std::string content) {
  return std::make_shared<LookupFile>(
      config.path, config.refresh,
      [inside = read_fields(config), content = std::move(content)](const std::string&) {
        return read_table(content, StandIn::kKey, inside);
      });
}

std::unique_ptr<Answerer> make_file_answers(std::shared_ptr<LookupFile> file,
                                            std::function<void(int, const std::string&)> log) {
  return std::make_unique<FileAnswers>(std::move(file), std::move(log));
}

}  // namespace streamd::enrich
