// SPDX-License-Identifier: Apache-2.0
#include "tests/operators/window/oracle.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace streamd::test {
namespace {

std::int64_t floor_to(std::int64_t t, std::int64_t step) {
  std::int64_t q = t / step;
  if (q * step > t) --q;
  return q * step;
}

std::string number(double x, bool whole) {
  return whole ? std::to_string(static_cast<std::int64_t>(x)) : show(x);
}

}  // namespace

std::string show(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::vector<Oracle::Kept> Oracle::content(const Key& key, std::int64_t end) const {
  std::vector<Kept> in;
  for (const auto& r : key.records)
    if (r.inserted && r.time >= end - rules_.size && r.time < end && end > r.after) in.push_back(r);
  return in;
}

bool Oracle::passes(const std::vector<Kept>& records) const {
  if (records.empty()) return false;
  if (rules_.more_than && static_cast<std::int64_t>(records.size()) <= *rules_.more_than)
    return false;
  if (rules_.different) {
    std::set<double> values;
    for (const auto& r : records)
      if (r.x) values.insert(*r.x);
    if (static_cast<std::int64_t>(values.size()) <= *rules_.different) return false;
  }
  if (!rules_.above) return true;
  std::optional<double> best;
  for (const auto& r : records)
    if (r.x) best = std::max(best.value_or(-INFINITY), *r.x);
  return best && *best > *rules_.above;
}

OracleRow Oracle::row(const std::string& key, const std::vector<Kept>& records, std::int64_t start,
                      std::int64_t end, std::int64_t time, std::string* values) const {
  std::vector<Kept> with;  // in order of time, then arrival
  for (const auto& r : records)
    if (r.x) with.push_back(r);
  std::stable_sort(with.begin(), with.end(),
                   [](const Kept& a, const Kept& b) { return a.time < b.time; });
  double sum = 0;
  bool all_whole = true;
  std::map<double, std::pair<int, bool>> counts;
  std::vector<double> sorted;
  for (const auto& r : with) {
    sum += *r.x;
    all_whole = all_whole && r.whole;
    ++counts[*r.x].first;
    counts[*r.x].second = r.whole;
    sorted.push_back(*r.x);
  }
  std::sort(sorted.begin(), sorted.end());
  const auto pick = [&](const Kept& r) { return number(*r.x, r.whole); };
  const auto text = [&](double x) { return number(x, counts[x].second); };
  std::string v = " n=" + std::to_string(records.size());
  v += " s=" + number(sum, all_whole);
  v += " a=" + (with.empty() ? "null" : show(sum / static_cast<double>(with.size())));
  v += " mn=" + (with.empty() ? "null" : text(sorted.front()));
  v += " mx=" + (with.empty() ? "null" : text(sorted.back()));
  v += " d=" + std::to_string(counts.size());
  v += " f=" + (with.empty() ? "null" : pick(with.front()));
  v += " l=" + (with.empty() ? "null" : pick(with.back()));
  std::vector<std::pair<int, double>> top;
  for (const auto& [x, c] : counts) top.emplace_back(-c.first, x);
  std::sort(top.begin(), top.end());
  v += " t=[";
  for (std::size_t i = 0; i < top.size() && i < 3; ++i)
    v += (i ? ",{\"value\":" : "{\"value\":") + text(top[i].second) +
         ",\"count\":" + std::to_string(-top[i].first) + "}";
  v +=
      "] r=" + show(static_cast<double>(records.size()) / (static_cast<double>(end - start) / 1e6));
  double entropy = 0;
  std::size_t large = 0;
  for (const auto& [x, c] : counts) {
    const double p = c.first / static_cast<double>(with.size());
    entropy -= p * std::log2(p);
    if (x > 5) large += static_cast<std::size_t>(c.first);
  }
  v += " h=" + (with.empty() ? "null" : show(nanos(entropy)));
  v += " sh=" + show(static_cast<double>(large) / static_cast<double>(records.size()));
  if (values) *values = v;
  OracleRow out;
  out.exact = key + " [" + std::to_string(start) + "," + std::to_string(end) + ") @" +
              std::to_string(time) + v;
  if (!sorted.empty())
    out.quantile =
        sorted[static_cast<std::size_t>(std::floor(0.5 * static_cast<double>(sorted.size() - 1)))];
  return out;
}

void Oracle::record(const OracleRecord& record) {
  if (rules_.gap > 0) return session_record(record);
  Kept kept;
  static_cast<OracleRecord&>(kept) = record;
  kept.after = std::max(record.floor, w_);
  if (floor_to(record.time + rules_.size, rules_.every) <= kept.after) {
    ++late;
    return;
  }
  Key& key = keys_[record.key];
  const std::int64_t first = floor_to(std::max(record.time, w_), rules_.every) + rules_.every;
  if (record.floor > w_ && first <= record.floor) {
    kept.waits = floor_to(record.floor, rules_.every);
    kept.inserted = false;
  }
  key.records.push_back(kept);
  if (kept.inserted && rules_.emits == Emits::threshold) check(record.key, key, kept);
}

// A run of windows that pass, one after the other, is told once. Looks at the windows of the record
// up to the one that ends after the newest record of the key.
void Oracle::check(const std::string& name, Key& key, const Kept& record) {
  std::int64_t newest = INT64_MIN;
  for (const auto& r : key.records)
    if (r.inserted) newest = std::max(newest, r.time);
  const std::int64_t last = std::min(floor_to(newest, rules_.every) + rules_.every,
                                     floor_to(record.time + rules_.size, rules_.every));
  const std::int64_t first = floor_to(std::max(record.time, w_), rules_.every) + rules_.every;
  for (std::int64_t end = first; end <= last; end += rules_.every) {
    const auto in = content(key, end);
    if (!passes(in)) continue;
    const std::int64_t before = end - rules_.every;
    const bool goes_on =
        before > w_ ? passes(content(key, before)) : !key.told.empty() && *key.told.begin() <= w_;
    if (goes_on) {
      key.told.erase(end);
    } else if (!is_told(key, end, first - rules_.every)) {
      rows.push_back(row(name, in, end - rules_.size, end, record.time));
      key.told.insert(end);
    }
  }
}

// Also where the run has just grown by a window in front, or lost windows there.
bool Oracle::is_told(Key& key, std::int64_t end, std::int64_t first) const {
  if (key.told.contains(end)) return true;
  std::int64_t from = end + rules_.every;
  if (!key.told.contains(from))
    for (from = end - rules_.every;
         from >= first && from > w_ && !key.told.contains(from) && !passes(content(key, from));)
      from -= rules_.every;
  if ((from < first || from <= w_) || !key.told.contains(from) ||
      (from < end && passes(content(key, from))))
    return false;
  key.told.erase(from);
  key.told.insert(end);
  return true;
}

void Oracle::threshold_boundary(const std::string& name, Key& key, std::int64_t end) {
  const auto in = content(key, end);
  const bool pass = passes(in);
  if (pass && (key.told.empty() || *key.told.begin() >= end)) {
    if (key.told.erase(end + rules_.every) == 0 && !key.told.contains(end))
      rows.push_back(row(name, in, end - rules_.size, end, end - 1));
    key.told.insert(end);
  }
  const auto begin = key.told.begin();
  key.told.erase(pass ? std::next(begin) : begin, key.told.upper_bound(end));
}

void Oracle::boundary(std::int64_t end) {
  for (auto& [name, key] : keys_) {
    if (rules_.emits == Emits::threshold) {
      threshold_boundary(name, key, end);
      continue;
    }
    const auto in = content(key, end);
    if (!passes(in)) continue;
    std::string values;
    OracleRow r = row(name, in, end - rules_.size, end, end - 1, &values);
    if (r.quantile) values += show(*r.quantile);
    const bool same = key.emitted == values && key.emitted_at == end - rules_.every;
    if (rules_.emits == Emits::close || !same) rows.push_back(r);
    key.emitted = values;
    key.emitted_at = end;
  }
}

void Oracle::watermark(std::int64_t w) {
  if (w <= w_) return;
  if (rules_.gap > 0) return session_watermark(w);
  std::set<std::int64_t> ends;
  for (const auto& [name, key] : keys_)
    for (const auto& r : key.records) {
      for (std::int64_t end = floor_to(r.time, rules_.every) + rules_.every;
           end <= r.time + rules_.size + rules_.every; end += rules_.every)
        ends.insert(end);
      if (!r.inserted) ends.insert(r.waits);
    }
  for (const std::int64_t end : ends) {
    if (end <= w_ || end > w) continue;
    boundary(end);
    w_ = end;
    for (auto& [name, key] : keys_)
      for (std::size_t i = 0; i < key.records.size(); ++i) {
        Kept& r = key.records[i];
        if (r.inserted || r.waits > end) continue;
        r.inserted = true;
        const Kept copy = r;
        if (rules_.emits == Emits::threshold) check(name, key, copy);
      }
  }
  w_ = w;
}

std::int64_t Oracle::end_of(const Session& s) const {
  return std::min(s.last + rules_.gap, s.start + rules_.max);
}

void Oracle::session_record(const OracleRecord& record) {
  Kept kept;
  static_cast<OracleRecord&>(kept) = record;
  const std::int64_t m = std::max(record.floor, w_);
  const std::int64_t t = record.time;
  auto& list = keys_[record.key].sessions;
  std::size_t before = list.size();  // the last session that starts at or before t
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i].start <= t) before = i;
  const std::size_t next = before == list.size() ? 0 : before + 1;
  std::size_t at = 0;
  if (before < list.size() && t < end_of(list[before]) && end_of(list[before]) > m) {
    at = before;
    list[at].last = std::max(list[at].last, t);
  } else if (next < list.size() && list[next].start - t < rules_.gap &&
             list[next].last - t < rules_.max &&
             std::min(list[next].last + rules_.gap, t + rules_.max) > m) {
    at = next;
    list[at].start = t;
  } else if (t + rules_.gap <= m) {
    ++late;
    return;
  } else {
    at = next;
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(next), Session{t, t, false, {}});
  }
  list[at].records.push_back(kept);
  while (at + 1 < list.size() && list[at + 1].start < end_of(list[at]) &&
         list[at + 1].last - list[at].start < rules_.max) {
    Session& a = list[at];
    Session& b = list[at + 1];
    a.last = std::max(a.last, b.last);
    a.fired = a.fired || b.fired;
    a.records.insert(a.records.end(), b.records.begin(), b.records.end());
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  Session& s = list[at];
  if (rules_.emits == Emits::threshold && !s.fired && passes(s.records)) {
    s.fired = true;
    rows.push_back(row(record.key, s.records, s.start, end_of(s), t));
  }
}

void Oracle::session_watermark(std::int64_t w) {
  struct Closing {
    std::int64_t end;
    std::string key;
    Session session;
  };
  std::vector<Closing> closing;
  for (auto& [name, key] : keys_) {
    for (const auto& s : key.sessions)
      if (end_of(s) <= w) closing.push_back({end_of(s), name, s});
    std::erase_if(key.sessions, [&](const Session& s) { return end_of(s) <= w; });
  }
  std::stable_sort(closing.begin(), closing.end(), [](const Closing& a, const Closing& b) {
    if (a.end != b.end) return a.end < b.end;
    if (a.key != b.key) return ByEncoding()(a.key, b.key);
    return a.session.start < b.session.start;
  });
  for (const auto& [end, key, s] : closing)
    if (passes(s.records) && !(rules_.emits == Emits::threshold && s.fired))
      rows.push_back(row(key, s.records, s.start, end, end - 1));
  w_ = w;
}

}  // namespace streamd::test
