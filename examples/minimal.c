// SPDX-License-Identifier: Apache-2.0
// The least that an application does: open, plan, run. Feeds zeros, and prints how many bytes the
// model's first output has: 16 for the model below, whose first output is a float32 for each of
// four classes of heartbeat. As README.md installs the library and makes the model:
//
//   cc examples/minimal.c $(pkg-config --cflags --libs medulla) -o out/minimal
//   out/minimal out/ecg_cnn.mdl
#include <stdio.h>

#include "medulla/medulla.h"

int main(int argc, char** argv) {
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = NULL;
  mdl_program* program = NULL;
  mdl_session* session = NULL;
  void* input = NULL;  // already zeros; write the tensor here
  const void* output = NULL;
  size_t bytes = 0;

  if (argc != 2) return fprintf(stderr, "usage: minimal MODEL.mdl\n"), 2;
  if (mdl_model_open(argv[1], NULL, &model, &error) == MDL_OK &&
      mdl_program_create(model, NULL, &program, &error) == MDL_OK &&
      mdl_session_create(program, NULL, &session, &error) == MDL_OK &&
      mdl_session_input(session, 0, &input, &bytes, &error) == MDL_OK &&
      mdl_session_run(session) == MDL_OK &&
      mdl_session_output(session, 0, &output, &bytes, &error) == MDL_OK) {
    printf("the first output has %zu bytes\n", bytes);
  } else {
    fprintf(stderr, "%s %s\n", error.text, session != NULL ? mdl_session_error(session) : "");
  }
  const int failed = output == NULL;
  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return failed;
}
