// SPDX-License-Identifier: Apache-2.0
// The least that an application does: open, plan, run. Fills every input with zeros.
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
    printf("%zu bytes of output\n", bytes);
  } else {
    fprintf(stderr, "%s %s\n", error.text, session != NULL ? mdl_session_error(session) : "");
  }
  const int failed = output == NULL;
  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return failed;
}
