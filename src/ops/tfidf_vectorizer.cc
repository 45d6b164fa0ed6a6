// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/indices.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"mode", MDL_ATTRIBUTE_STRING, true},         {"min_gram_length", MDL_ATTRIBUTE_INT, true},
    {"max_gram_length", MDL_ATTRIBUTE_INT, true}, {"max_skip_count", MDL_ATTRIBUTE_INT, true},
    {"ngram_counts", MDL_ATTRIBUTE_INTS, true},   {"ngram_indexes", MDL_ATTRIBUTE_INTS, true},
    {"pool_int64s", MDL_ATTRIBUTE_INTS, true},    {"weights", MDL_ATTRIBUTE_FLOATS}};

// The pool lists n-grams by length: those of length n begin at ngram_counts[n - 1]. Gram g, counted
// over all lengths, stands for output ngram_indexes[g] and has weights[g].
struct Grams {
  std::span<const int64_t> starts, outputs, pool;
  std::span<const double> weights;

  explicit Grams(const NodeView& node)
      : starts(node.ints("ngram_counts")),
        outputs(node.ints("ngram_indexes")),
        pool(node.ints("pool_int64s")),
        weights(node.floats("weights")) {}

  size_t begin(size_t length) const { return static_cast<size_t>(starts[length - 1]); }
  size_t end(size_t length) const {
    return length < starts.size() ? static_cast<size_t>(starts[length]) : pool.size();
  }
};

bool is_mode(const char* name) {
  for (const char* mode : {"TF", "IDF", "TFIDF"}) {
    if (std::strcmp(name, mode) == 0) return true;
  }
  return false;
}

mdl_status check_grams(const NodeView& node, int64_t* outputs, mdl_error* error) {
  const Grams grams(node);
  const int64_t least = node.int_or("min_gram_length", 0), most = node.int_or("max_gram_length", 0);
  const int64_t lengths = static_cast<int64_t>(grams.starts.size());
  const int64_t skips = node.int_or("max_skip_count", 0);
  const char* mode = node.string_or("mode", "");
  if (least < 1 || least > most || most > lengths || skips < 0 || !is_mode(mode)) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "mode is '", mode, "', max_skip_count ",
                     skips, ", the lengths of grams go from ", least, " to ", most,
                     "; should be TF, IDF or TFIDF, not negative, and from 1 to the ", lengths,
                     " of ngram_counts");
  }
  size_t count = 0;
  int64_t before = 0;
  for (size_t n = 0; n < grams.starts.size(); ++n) {
    const int64_t start = grams.starts[n];
    if (start < before || start > static_cast<int64_t>(grams.pool.size()) ||
        (n == 0 && start != 0)) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "ngram_counts[", n, "] is ", start,
                       ", should begin with 0 and ascend to at most ", grams.pool.size());
    }
    before = start;
  }
  for (size_t n = 1; n <= grams.starts.size(); ++n) {
    if ((grams.end(n) - grams.begin(n)) % n != 0) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "the pool has ",
                       grams.end(n) - grams.begin(n), " items in grams of ", n);
    }
    count += (grams.end(n) - grams.begin(n)) / n;
  }
  if (grams.outputs.size() != count || (!grams.weights.empty() && grams.weights.size() != count)) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "ngram_indexes and weights have ",
                     grams.outputs.size(), " and ", grams.weights.size(),
                     " entries, should have one for each of the ", count, " grams");
  }
  *outputs = 0;
  for (const int64_t o : grams.outputs) {
    if (o < 0 || o > INT32_MAX) {
      return fail_node(error, MDL_ERROR_BAD_MODEL, node, "an ngram_index is ", o,
                       ", should be from 0 to ", INT32_MAX);
    }
    *outputs = o >= *outputs ? o + 1 : *outputs;
  }
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_indices(node, inputs, 0, error));
  mdl_shape shape = inputs[0].shape;
  if (shape.rank != 1 && shape.rank != 2) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "input 0 is ", shape,
                     ", should have rank 1 or 2");
  }
  MDL_TRY(check_grams(node, &shape.dims[shape.rank - 1], error));
  return set_output(node, outputs, 0, MDL_FLOAT32, shape, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  for (const double w : node.floats("weights")) {
    if (is_float(w)) continue;
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "a weight is ", w,
                     ", should be a float32 and not NaN");
  }
  return MDL_OK;
}

// How often a gram's items stand in a row, each `step` behind the one before.
int64_t occurrences(const ReferenceCall& call, int64_t row, int64_t columns, const int64_t* gram,
                    size_t length, int64_t step) {
  const int64_t reach = static_cast<int64_t>(length - 1) * step;
  int64_t found = 0;
  for (int64_t first = 0; first + reach < columns; ++first) {
    size_t k = 0;
    while (k < length &&
           int_at(call, 0, row * columns + first + static_cast<int64_t>(k) * step) == gram[k]) {
      ++k;
    }
    found += k == length;
  }
  return found;
}

// For each gram of the lengths asked for: its occurrences n with 0 to max_skip_count items skipped
// between neighbors, TF: n, IDF: 1 if there is any, times the weight, if it has one, unless TF.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const Grams grams(call.node);
  const mdl_shape& shape = call.input_types[0].shape;
  const mdl_shape& out = call.output_types[0].shape;
  const int64_t columns = shape.dims[shape.rank - 1];
  const int64_t width = out.dims[out.rank - 1];
  const int64_t rows = shape.rank == 2 ? shape.dims[0] : 1;
  const auto least = static_cast<size_t>(call.node.int_or("min_gram_length", 1));
  const auto most = static_cast<size_t>(call.node.int_or("max_gram_length", 1));
  const int64_t skips = call.node.int_or("max_skip_count", 0);
  const char* mode = call.node.string_or("mode", "TF");
  const bool weighted = std::strcmp(mode, "TF") != 0 && !grams.weights.empty();
  const bool counted = std::strcmp(mode, "IDF") != 0;
  float* y = call.out<float>(0);
  for (int64_t i = 0; i < rows * width; ++i) y[i] = 0;
  for (int64_t row = 0; row < rows; ++row, y += width) {
    size_t gram = 0;
    for (size_t n = 1; n <= most; ++n) {
      for (size_t at = grams.begin(n); at < grams.end(n); at += n, ++gram) {
        if (n < least) continue;
        int64_t found = 0;
        const int64_t gaps = static_cast<int64_t>(n - 1);
        for (int64_t skip = 0; skip <= skips && (gaps > 0 || skip == 0); ++skip) {
          if (gaps > 0 && skip + 1 > (columns - 1) / gaps) break;
          found += occurrences(call, row, columns, &grams.pool[at], n, skip + 1);
        }
        if (found == 0) continue;
        const float value = counted ? static_cast<float>(found) : 1.0f;
        y[grams.outputs[gram]] = weighted ? value * static_cast<float>(grams.weights[gram]) : value;
      }
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_TfIdfVectorizer = {
    .name = "TfIdfVectorizer",
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
};

}  // namespace medulla
