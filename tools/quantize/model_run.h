// SPDX-License-Identifier: Apache-2.0
// The converter's model, run by the library from memory.
#ifndef MEDULLA_TOOLS_QUANTIZE_MODEL_RUN_H_
#define MEDULLA_TOOLS_QUANTIZE_MODEL_RUN_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/common/array.h"
#include "tools/common/handles.h"
#include "tools/ir/graph.h"

namespace medulla::tools {

// An array for each input of the model, in the input's dtype.
using Sample = std::vector<Array>;

class ModelRun {
 public:
  enum class Keep { outputs, all };  // what can be read after a run
  explicit ModelRun(const Model& model, Keep keep = Keep::outputs, bool profile = false);

  const mdl_model* model() const { return model_.get(); }
  size_t bytes() const { return size_; }  // of the file

  void reset();  // the states
  void run(const Sample& sample);
  std::vector<float> output(size_t index) const;
  std::vector<int64_t> output_shape(size_t index) const;
  // A float32 tensor of the main graph, by its index there.
  std::vector<float> tensor(int32_t index) const;
  // Of the last run, by the name of a step's first node; needs `profile`.
  struct Cost {
    uint64_t nanoseconds = 0, macs = 0;
  };
  std::map<std::string, Cost> costs() const;

 private:
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  std::unique_ptr<void, Free> block_;
  size_t size_ = 0;
  ModelPtr model_{nullptr, mdl_model_close};
  ProgramPtr program_{nullptr, mdl_program_destroy};
  SessionPtr session_{nullptr, mdl_session_destroy};
};

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_QUANTIZE_MODEL_RUN_H_
