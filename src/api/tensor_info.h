// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_API_TENSOR_INFO_H_
#define MEDULLA_SRC_API_TENSOR_INFO_H_

#include "medulla/backend.h"

namespace medulla {

// Writes what a caller's *info has room for; info->struct_size was set by the caller.
void fill_info(const mdl_tensor& tensor, const mdl_shape& shape, mdl_tensor_info* info);

}  // namespace medulla

#endif  // MEDULLA_SRC_API_TENSOR_INFO_H_
