// SPDX-License-Identifier: Apache-2.0
// Tensors from files and into files, by the file's ending: .npy, .csv, .png, .pgm, .jpg, else raw.
#ifndef MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_
#define MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_

#include <string>
#include <vector>

#include "medulla/medulla.h"
#include "tools/common/array.h"

namespace medulla::tools {

// `NAME=FILE`, or `FILE` for the tensor whose turn it is.
struct NamedFile {
  std::string name;  // empty: by position
  std::string path;
};
// Throws CLI::ValidationError when one of the two is empty.
NamedFile parse_named_file(const std::string& text);

std::string ending_of(const std::string& path);

// The file as an array of the input's rank, in the shape of what it holds.
Array read_input(const std::string& path, const mdl_model* model, size_t index,
                 const mdl_tensor_info& info);

// Fills the session's inputs from the files. An array of the input's own dtype is copied as it is,
// another is converted as mdl_session_set_input says, into floats and quantized inputs only.
// Pictures go through the model's preprocessing when it has one, else their values are 0 to 255. A
// dynamic input takes the array's shape. Inputs without a file keep zeros, and are named in the
// returned list.
std::vector<std::string> load_inputs(mdl_model* model, mdl_session* session,
                                     const std::vector<std::string>& files);

// Throws when `files` name an output that the model does not have, or more than it has.
void require_outputs(const mdl_model* model, const std::vector<std::string>& files);

// Writes outputs to their files, in their own dtype (.npy, raw), or as dequantised numbers (.csv).
void save_outputs(mdl_model* model, mdl_session* session, const std::vector<std::string>& files);

// Throws when one of `outputs` would be written over the model or one of `inputs`, or is called
// what the command does not write.
void require_other_files(const std::vector<std::string>& outputs, const std::string& model,
                         const std::vector<std::string>& inputs);

// Writes one tensor, as mdl_session_tensor gives it.
void save_tensor(mdl_session* session, const std::string& name, const std::string& path);

// The greyscale or RGB picture of a file as uint8 [height, width, channels].
Array read_picture(const std::string& path, int64_t channels);
bool is_picture(const std::string& path);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_
