// SPDX-License-Identifier: Apache-2.0
// What has to be unique, found by sorting in memory that is given.
#include <algorithm>
#include <cstring>

#include "src/model/loader.h"

namespace medulla {
namespace {

// A dimension that has a symbol.
struct Extent {
  const char* symbol;
  const char* tensor;
  int64_t maximum;
};

}  // namespace

size_t symbol_bytes(size_t symbols) { return symbols * sizeof(Extent); }

mdl_status check_names(const mdl_graph& graph, void* memory, mdl_error* error) {
  const char** names = static_cast<const char**>(memory);
  for (size_t t = 0; t < graph.tensor_count; ++t) names[t] = graph.tensors[t].name;
  std::sort(names, names + graph.tensor_count,
            [](const char* a, const char* b) { return std::strcmp(a, b) < 0; });
  for (size_t t = 1; t < graph.tensor_count; ++t) {
    if (std::strcmp(names[t - 1], names[t]) != 0) continue;
    return fail(error, MDL_ERROR_BAD_MODEL, "tensor '", names[t],
                "': two tensors have this name, should be one");
  }
  return MDL_OK;
}

mdl_status check_symbols(std::span<const mdl_graph> graphs, void* memory, mdl_error* error) {
  Extent* extents = static_cast<Extent*>(memory);
  size_t count = 0;
  for (const mdl_graph& graph : graphs) {
    for (size_t t = 0; t < graph.tensor_count; ++t) {
      const mdl_tensor& tensor = graph.tensors[t];
      for (uint32_t d = 0; d < tensor.rank; ++d) {
        if (tensor.symbols[d] == nullptr) continue;
        extents[count++] = {tensor.symbols[d], tensor.name, tensor.dims[d]};
      }
    }
  }
  std::sort(extents, extents + count,
            [](const Extent& a, const Extent& b) { return std::strcmp(a.symbol, b.symbol) < 0; });
  for (size_t i = 1; i < count; ++i) {
    const Extent& a = extents[i - 1];
    const Extent& b = extents[i];
    if (a.maximum == b.maximum || std::strcmp(a.symbol, b.symbol) != 0) continue;
    return fail(error, MDL_ERROR_BAD_MODEL, "dimension '", a.symbol, "' is at most ", a.maximum,
                " in tensor '", a.tensor, "' and ", b.maximum, " in tensor '", b.tensor,
                "', should have one maximum");
  }
  return MDL_OK;
}

}  // namespace medulla
