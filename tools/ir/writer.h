// SPDX-License-Identifier: Apache-2.0
// From the converter's model to the bytes of a .mdl file. The same model gives the same bytes.
#ifndef MEDULLA_TOOLS_IR_WRITER_H_
#define MEDULLA_TOOLS_IR_WRITER_H_

#include <string>

#include "tools/ir/graph.h"

namespace medulla::tools {

// The file as one block. Equal constants share one buffer.
Bytes model_bytes(const Model& model);

// Writes beside `path` and renames once all is on the disk: a file that is there is whole. Throws
// std::runtime_error, whose text names the path; nothing is then left behind.
void write_model(const Bytes& bytes, const std::string& path);
void write_model(const Model& model, const std::string& path);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IR_WRITER_H_
