// SPDX-License-Identifier: Apache-2.0
#include "plugin/columns.h"

namespace streamd::plugin {

bool InputColumns::parse(const std::vector<ExprText>& texts, Diagnostics& problems) {
  const std::size_t before = problems.errors();
  for (const ExprText& text : texts)
    parts_.push_back(text.text.empty() ? std::nullopt
                                       : std::optional(KeyParts::parse({text}, problems)));
  return problems.errors() == before;
}

void InputColumns::fields(std::set<std::string>& into) const {
  for (const auto& part : parts_)
    if (part) part->fields(into);
}

void InputColumns::bind(const Schema& in, Diagnostics& problems) {
  bound_.clear();
  for (const auto& part : parts_) {
    bound_.emplace_back();
    if (part) bound_.back() = std::move(part->bind(in, problems).parts.front());
  }
}

const sd_batch& AbiBatch::make(const Batch& in, Arena& arena,
                               const std::vector<std::uint32_t>* entries,
                               const std::vector<sd_view>* keys) {
  const std::size_t count = columns_.bound_.size();
  evaluated_.resize(count);
  pointers_.assign(count, nullptr);
  for (std::size_t c = 0; c < count; ++c) {
    const auto& part = columns_.bound_[c];
    if (!part) continue;
    if (part->column) {
      pointers_[c] = to_abi(in.column(*part->column)->data());
    } else if (part->program) {
      part->program->evaluate(in, arena, evaluated_[c]);
      for (std::size_t i = 0; i < in.size(); ++i)
        if (Value& value = evaluated_[c][in.physical(i)]; value.is(Kind::error))
          value = Value::missing();
      pointers_[c] = to_abi(evaluated_[c].data());
    } else {
      if (nothing_.size() < in.physical_rows()) nothing_.resize(in.physical_rows());
      pointers_[c] = to_abi(nothing_.data());
    }
  }
  const std::vector<std::uint32_t>* const index = entries != nullptr ? entries : in.selection();
  batch_.size = sizeof(sd_batch);
  batch_.column_count = static_cast<std::uint32_t>(count);
  batch_.rows = index != nullptr ? index->size() : in.size();
  batch_.entries = in.physical_rows();
  batch_.index = index != nullptr ? index->data() : nullptr;
  batch_.columns = pointers_.data();
  batch_.times = reinterpret_cast<const std::int64_t*>(in.rows().time.data());
  batch_.positions = in.rows().position.data();
  batch_.keys = keys != nullptr ? keys->data() : nullptr;
  batch_.origin = to_abi(std::string_view(in.origin().node));
  batch_.partition = to_abi(std::string_view(in.origin().partition));
  batch_.engine = &in;
  return batch_;
}

}  // namespace streamd::plugin
