// SPDX-License-Identifier: Apache-2.0
#include "src/api/tensor_info.h"

#include <algorithm>
#include <cstring>

#include "src/graph/program.h"

namespace medulla {

void fill_info(const mdl_tensor& tensor, const mdl_shape& shape, mdl_tensor_info* info) {
  mdl_tensor_info all = MDL_TENSOR_INFO_INIT;
  all.struct_size = info->struct_size;
  all.name = tensor.name;
  all.dtype = tensor.dtype;
  all.rank = shape.rank;
  std::copy_n(shape.dims, shape.rank, all.dims);
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    if (tensor.symbols[d] != nullptr) all.dynamic |= 1u << d;
  }
  all.bytes = tensor_bytes(tensor.dtype, shape);
  all.quantization = tensor.quantization;
  std::memcpy(info, &all, std::min(info->struct_size, sizeof(all)));
}

}  // namespace medulla
