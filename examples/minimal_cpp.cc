// SPDX-License-Identifier: Apache-2.0
// The least that a program in C++ does: open a model, run it on zeros, print the first output.
// As README.md installs the library and makes the model:
//
//   c++ -std=c++17 examples/minimal_cpp.cc $(pkg-config --cflags --libs medulla) -o out/minimal_cpp
//   out/minimal_cpp out/ecg_cnn.mdl
#include <cstdio>
#include <vector>

#include "medulla/medulla.hpp"

static int report(const mdl::Error& error) {
  std::fprintf(stderr, "%s\n", error.text());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s model.mdl\n", argv[0]);
    return 2;
  }
  const mdl::Result<mdl::Model> model = mdl::Model::open(argv[1]);
  if (!model) return report(model.error());
  const mdl::Result<mdl::Program> program = mdl::Program::create(*model);
  if (!program) return report(program.error());
  mdl::Result<mdl::Session> session = mdl::Session::create(*program);
  if (!session) return report(session.error());

  for (size_t i = 0; i < model->input_count(); ++i) {
    size_t count = 1;
    for (const int64_t extent : session->input_shape(i)) count *= static_cast<size_t>(extent);
    const std::vector<float> zeros(count);
    if (const mdl::Error error = session->set_input(i, zeros.data(), count)) return report(error);
  }
  if (const mdl::Error error = session->run()) return report(error);

  const mdl::Result<mdl_tensor_info> output = model->output(0);
  if (!output) return report(output.error());
  size_t count = 1;
  for (const int64_t extent : session->output_shape(0)) count *= static_cast<size_t>(extent);
  std::vector<float> values(count);
  if (const mdl::Error error = session->get_output(0, values.data(), count)) return report(error);
  std::printf("%s:", output->name);
  for (const float value : values) std::printf(" %g", static_cast<double>(value));
  std::printf("\n");
  return 0;
}
