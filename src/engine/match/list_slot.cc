// SPDX-License-Identifier: Apache-2.0
#include "engine/match/list_slot.h"

#include "engine/match/indicator_list.h"

namespace streamd {

IndicatorList::Hit ListView::find(const Value& value) const {
  if (!list) return 0;
  QuestionDigits digits;
  return list->find(question_of(value, digits), now);
}

}  // namespace streamd
