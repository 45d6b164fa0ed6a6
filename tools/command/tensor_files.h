// SPDX-License-Identifier: Apache-2.0
// The tensors of a session from files and into files.
#ifndef MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_
#define MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_

#include <string>
#include <vector>

#include "medulla/medulla.h"
#include "tools/common/array.h"
#include "tools/common/input_file.h"

namespace medulla::tools {

// `NAME=FILE`, or `FILE` for the tensor whose turn it is.
struct NamedFile {
  std::string name;  // empty: by position
  std::string path;
};
// Throws CLI::ValidationError when one of the two is empty.
NamedFile parse_named_file(const std::string& text);

// Fills the session's inputs from the files. An array of the input's own dtype is copied as it is,
// another is converted as mdl_session_set_input says, into floats and quantized inputs only. A
// dynamic input takes the array's shape. Inputs without a file keep zeros, and are named in the
// returned list.
std::vector<std::string> load_inputs(mdl_model* model, mdl_session* session,
                                     const std::vector<std::string>& files);

// A file and the output that goes there.
struct OutputFile {
  NamedFile file;
  size_t output;
};
// Throws when `files` name an output that the model does not have, or more than it has.
std::vector<OutputFile> output_files(const mdl_model* model, const std::vector<std::string>& files);

// Writes outputs to their files, in their own dtype (.npy, raw), or as dequantised numbers (.csv).
void save_outputs(const mdl_model* model, mdl_session* session,
                  const std::vector<OutputFile>& files);

// Throws when one of `outputs` would be written over the model, one of `inputs` or another output,
// has no folder to go to, or is called what the command does not write.
void require_other_files(const std::vector<std::string>& outputs, const std::string& model,
                         const std::vector<std::string>& inputs);

// Tells on stderr which outputs files without a name took and which they did not, if any.
void note_unwritten(const mdl_model* model, const std::vector<OutputFile>& files);

// Writes one tensor, as mdl_session_tensor gives it.
void save_tensor(mdl_session* session, const std::string& name, const std::string& path);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_TENSOR_FILES_H_
