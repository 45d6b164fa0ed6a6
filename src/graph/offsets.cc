// SPDX-License-Identifier: Apache-2.0
// Offsets by greedy placement: spans in some order, each at the lowest place where no span that is
// live with it lies. No order is best for all graphs, so several are tried; then the search moves a
// span that sticks out to an earlier place, and tries again.
#include <algorithm>
#include <numeric>

#include "src/graph/memory.h"

namespace medulla {
namespace {

// With more spans than this only the cheapest order is tried: a greedy placement takes quadratic
// time.
constexpr size_t kManySpans = 4096;
constexpr size_t kMaxRepairs = 4000;
constexpr size_t kRepairWork = size_t{1} << 25;  // pairs of spans looked at, at most

bool overlap(const Span& a, const Span& b) { return a.first <= b.last && b.first <= a.last; }

// Places spans[order[..]] one by one. `placed` is room for the indices, kept by offset.
size_t place_in_order(std::span<Span> spans, std::span<const int32_t> order, int32_t* placed) {
  size_t total = 0;
  size_t count = 0;
  for (const int32_t index : order) {
    Span& span = spans[static_cast<size_t>(index)];
    size_t offset = 0;
    for (size_t p = 0; p < count; ++p) {
      const Span& other = spans[static_cast<size_t>(placed[p])];
      if (!overlap(span, other)) continue;
      if (other.offset >= offset + span.bytes) break;
      offset = std::max(offset, other.offset + other.bytes);
    }
    span.offset = offset;
    total = std::max(total, offset + span.bytes);
    size_t at = count++;
    for (; at > 0 && spans[static_cast<size_t>(placed[at - 1])].offset > offset; --at) {
      placed[at] = placed[at - 1];
    }
    placed[at] = index;
  }
  return total;
}

// The same in order of first use, where what has ended can be forgotten: linear in spans times
// those live at once.
size_t place_by_time(std::span<Span> spans, std::span<const int32_t> order, int32_t* placed) {
  size_t total = 0;
  size_t count = 0;
  for (const int32_t index : order) {
    Span& span = spans[static_cast<size_t>(index)];
    int32_t* live = std::remove_if(placed, placed + count, [&](int32_t p) {
      return spans[static_cast<size_t>(p)].last < span.first;
    });
    count = static_cast<size_t>(live - placed);
    size_t offset = 0;
    size_t at = 0;
    for (; at < count; ++at) {
      const Span& other = spans[static_cast<size_t>(placed[at])];
      if (other.offset >= offset + span.bytes) break;
      offset = std::max(offset, other.offset + other.bytes);
    }
    span.offset = offset;
    total = std::max(total, offset + span.bytes);
    std::copy_backward(placed + at, placed + count, placed + count + 1);
    placed[at] = index;
    ++count;
  }
  return total;
}

uint64_t life(const Span& span) { return static_cast<uint64_t>(span.last - span.first) + 1; }

// Each says whether a goes before b.
using Order = bool (*)(const Span& a, const Span& b);
constexpr Order kOrders[] = {
    [](const Span& a, const Span& b) { return a.first < b.first; },
    [](const Span& a, const Span& b) { return a.bytes > b.bytes; },
    [](const Span& a, const Span& b) { return life(a) * a.bytes > life(b) * b.bytes; },
    [](const Span& a, const Span& b) { return life(a) > life(b); },
    [](const Span& a, const Span& b) { return a.last > b.last; },
};

}  // namespace

size_t lower_bound(std::span<const Span> spans, int32_t end, std::span<int64_t> sums) {
  std::fill(sums.begin(), sums.end(), 0);
  for (const Span& span : spans) {
    sums[static_cast<size_t>(span.first)] += static_cast<int64_t>(span.bytes);
    sums[static_cast<size_t>(span.last) + 1] -= static_cast<int64_t>(span.bytes);
  }
  int64_t live = 0;
  int64_t most = 0;
  for (int32_t s = 0; s <= end; ++s) {
    live += sums[static_cast<size_t>(s)];
    most = std::max(most, live);
  }
  return static_cast<size_t>(most);
}

size_t plan_offsets(std::span<Span> spans, std::span<int32_t> order, std::span<size_t> room,
                    size_t bound) {
  const size_t count = spans.size();
  int32_t* placed = order.data() + count;
  int32_t* best_order = placed + count;
  size_t best = SIZE_MAX;
  const auto keep = [&](size_t total) {
    if (total > best) return;
    best = total;
    for (size_t i = 0; i < count; ++i) room[i] = spans[i].offset;
    std::copy_n(order.begin(), count, best_order);
  };
  const auto finish = [&] {
    for (size_t i = 0; i < count; ++i) spans[i].offset = room[i];
    return best;
  };
  if (count == 0) return 0;
  const std::span<int32_t> indices = order.first(count);
  for (const Order before : kOrders) {
    std::iota(indices.begin(), indices.end(), 0);
    std::sort(indices.begin(), indices.end(), [&](int32_t a, int32_t b) {
      const Span& x = spans[static_cast<size_t>(a)];
      const Span& y = spans[static_cast<size_t>(b)];
      if (before(x, y) != before(y, x)) return before(x, y);
      return x.bytes != y.bytes ? x.bytes > y.bytes : a < b;
    });
    const bool by_time = before == kOrders[0];
    keep(by_time ? place_by_time(spans, indices, placed) : place_in_order(spans, indices, placed));
    if (best == bound || (by_time && count > kManySpans)) break;
  }
  if (count > kManySpans || best <= bound) return finish();
  // In the best order so far, what ends highest, or now and then any other, goes to an earlier
  // place. Both are drawn by a generator that starts anew for each plan: the same graph, the same
  // plan.
  const size_t repairs = std::min(kMaxRepairs, kRepairWork / (count * count));
  const size_t enough = bound + bound / 20;
  uint64_t random = 1;
  const auto draw = [&](size_t n) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>(random >> 33) % n;
  };
  for (size_t repair = 0; repair < repairs && best > enough; ++repair) {
    std::copy_n(best_order, count, indices.begin());
    size_t from = draw(count);
    if (repair % 2 == 0) {
      const auto highest = std::find_if(indices.begin(), indices.end(), [&](int32_t i) {
        return room[static_cast<size_t>(i)] + spans[static_cast<size_t>(i)].bytes == best;
      });
      from = static_cast<size_t>(highest - indices.begin());
    }
    int32_t* const first = indices.data();
    std::rotate(first + draw(from + 1), first + from, first + from + 1);
    keep(place_in_order(spans, indices, placed));
  }
  return finish();
}

}  // namespace medulla
