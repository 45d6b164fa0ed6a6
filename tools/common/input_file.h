// SPDX-License-Identifier: Apache-2.0
// Files as arrays that an input takes, by the file's ending: .npy, .csv, .png, .pgm, .jpg, else
// raw.
#ifndef MEDULLA_TOOLS_COMMON_INPUT_FILE_H_
#define MEDULLA_TOOLS_COMMON_INPUT_FILE_H_

#include <optional>
#include <string>

#include "medulla/medulla.h"
#include "tools/common/array.h"

namespace medulla::tools {

std::string ending_of(const std::string& path);

// The file as an array of the input's rank, in the shape of what it holds. Pictures and arrays of
// uint8 go through the model's preprocessing when it has one, else their values are 0 to 255.
Array read_input(const std::string& path, const mdl_model* model, size_t index,
                 const mdl_tensor_info& info);

// Pixels of the input's rank as it wants them: (value - offset) * scale, by channel. Nothing when
// the array is not uint8, the input not float32, or the model says nothing of preprocessing.
std::optional<Array> preprocessed(const Array& array, const mdl_model* model, size_t index,
                                  const mdl_tensor_info& info);

// The shape as the input's, when it has the same extents but for ones in front.
std::optional<std::vector<int64_t>> fitted_shape(const std::vector<int64_t>& shape,
                                                 const mdl_tensor_info& info);

// The greyscale or RGB picture of a file as uint8 [height, width, channels].
Array read_picture(const std::string& path, int64_t channels);
bool is_picture(const std::string& path);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMON_INPUT_FILE_H_
