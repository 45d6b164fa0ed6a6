// SPDX-License-Identifier: Apache-2.0
// Runs whole INT8 models on a CPU that is emulated: the kernels that its dispatch chooses beside
// the specification, byte for byte. In C, since the ROM has no room for the C++ library.
// usage: test_emulated_models ISA...: each ends the name of a row that some model's plan must have
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "medulla/medulla.h"

#define MODEL(name, file)                                                               \
  __asm__(".section .rodata\n.balign 64\n.global " #name "\n" #name ": .incbin \"" file \
          "\"\n.global " #name "_end\n" #name "_end:\n.previous\n");                    \
  extern const unsigned char name[], name##_end[];

MODEL(ecg_cnn, MEDULLA_ECG_CNN_INT8)
MODEL(heartbeats, MEDULLA_HEARTBEATS_INT8)

static const struct {
  const char* name;
  const unsigned char *begin, *end;
} models[] = {{"ecg_cnn", ecg_cnn, ecg_cnn_end}, {"heartbeats", heartbeats, heartbeats_end}};

enum { kModels = sizeof models / sizeof models[0], kInputs = 3, kMost = 4096 };

static char plans[64 << 10];  // of all models
static size_t plan_bytes;
static float x[kMost];

static int fail(const char* what, const mdl_error* error) {
  printf("%s: %s: %s\n", what, mdl_status_name(error->status), error->text);
  return 1;
}

static size_t elements(const mdl_tensor_info* tensor) {
  size_t count = 1;
  for (uint32_t d = 0; d < tensor->rank; ++d) count *= (size_t)tensor->dims[d];
  return count;
}

// Numbers from -8 to 8 that are the same everywhere, beyond what an int8 input holds too.
static void make_input(size_t count, uint32_t seed) {
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    x[i] = (float)((int)(seed >> 16) - 32768) / 4096;
  }
}

// The first output for each of the inputs, one after the other; `count` of its elements each.
static int run(size_t m, const char* backends, float* outputs, size_t* count) {
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = NULL;
  mdl_program* program = NULL;
  mdl_session* session = NULL;
  mdl_tensor_info input = MDL_TENSOR_INFO_INIT, output = MDL_TENSOR_INFO_INIT;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = backends;
  const size_t bytes = (size_t)(models[m].end - models[m].begin);
  size_t written = 0;
  if (mdl_model_open_memory(models[m].begin, bytes, NULL, &model, &error) != MDL_OK ||
      mdl_program_create(model, &options, &program, &error) != MDL_OK ||
      mdl_session_create(program, NULL, &session, &error) != MDL_OK ||
      mdl_model_input(model, 0, &input, &error) != MDL_OK ||
      mdl_model_output(model, 0, &output, &error) != MDL_OK ||
      mdl_program_plan(program, MDL_PLAN_TEXT, plans + plan_bytes, sizeof plans - plan_bytes,
                       &written, &error) != MDL_OK) {
    return fail(models[m].name, &error);
  }
  const size_t inputs = elements(&input);
  *count = elements(&output);
  if (inputs > kMost || *count > kMost || written > sizeof plans - plan_bytes) {
    return printf("%s: larger than the room for it\n", models[m].name), 1;
  }
  if (strcmp(backends, "cpu") == 0) plan_bytes += written - 1;
  for (uint32_t i = 0; i < kInputs; ++i) {
    make_input(inputs, i);
    if (mdl_session_set_input(session, 0, x, inputs, &error) != MDL_OK) {
      return fail(models[m].name, &error);
    }
    if (mdl_session_run(session) != MDL_OK) {
      return printf("%s: %s\n", models[m].name, mdl_session_error(session)), 1;
    }
    if (mdl_session_get_output(session, 0, outputs + i * *count, *count, &error) != MDL_OK) {
      return fail(models[m].name, &error);
    }
  }
  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return 0;
}

// Whether a word of the plans ends with this.
static int chosen(const char* isa) {
  const size_t length = strlen(isa);
  for (const char* at = plans; (at = strstr(at, isa)) != NULL; ++at) {
    if (at > plans && at[-1] == '_' && strchr(" \n", at[length]) != NULL) return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  static float exact[kInputs * kMost], found[kInputs * kMost];
  int different = 0;
  for (size_t m = 0; m < kModels; ++m) {
    size_t count = 0, same = 0;
    if (run(m, "reference", exact, &count) != 0 || run(m, "cpu", found, &count) != 0) return 1;
    while (same < kInputs * count && memcmp(&exact[same], &found[same], sizeof(float)) == 0) ++same;
    printf("%s: %zu of %zu numbers are the specification's\n", models[m].name, same,
           kInputs * count);
    different += same == 0 || same != kInputs * count;
  }
  for (int i = 1; i < argc; ++i) {
    if (chosen(argv[i])) continue;
    printf("no row of %s was chosen\n", argv[i]);
    ++different;
  }
  if (different > 0) printf("%s", plans);
  return different > 0;
}
