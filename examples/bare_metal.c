// SPDX-License-Identifier: Apache-2.0
// A device without file system, threads or heap: the model is part of the program, every object
// lives in a block of fixed size, and an allocator that always refuses proves that nothing else is
// used. The sizes come from `medulla inspect MODEL.mdl`, measured on the ISA that the device has.
// `__asm__` takes gnu99, and the model's file is named when it is compiled:
//
//   cc -std=gnu99 -Iinclude -DMODEL_FILE='"out/ecg_cnn.mdl"' examples/bare_metal.c -c -o out/bare.o
//   c++ out/bare.o build/small/lib/libmedulla.a -o out/bare_metal
//
// with the library that README.md builds without threads and cpuinfo. scripts/size.sh does both
// for any model, with its operators alone, and counts the bytes.
#include <stdio.h>

#include "medulla/medulla.h"

// MODEL_FILE is ecg_cnn_int8.mdl; the build sets it. 64 is MDL_ALIGNMENT.
__asm__(
    ".section .rodata\n"
    ".balign 64\n"
    ".global model_begin\n"
    "model_begin: .incbin \"" MODEL_FILE
    "\"\n"
    ".global model_end\n"
    "model_end:\n"
    ".previous\n");
extern const unsigned char model_begin[];
extern const unsigned char model_end[];

// Those of ecg_cnn_int8.mdl; another model's are given when it is compiled.
#ifndef MODEL_BYTES
#define MODEL_BYTES (128 * 1024)
#define PROGRAM_BYTES (256 * 1024)
#define SESSION_BYTES (128 * 1024)
#define SAMPLES 260      // elements of the first input
#define OUTPUT "logits"  // and the output that is printed,
#define CLASSES 4        // with its elements
#endif
static unsigned char model_block[MODEL_BYTES] __attribute__((aligned(MDL_ALIGNMENT)));
static unsigned char program_block[PROGRAM_BYTES] __attribute__((aligned(MDL_ALIGNMENT)));
static unsigned char session_block[SESSION_BYTES] __attribute__((aligned(MDL_ALIGNMENT)));

static void* refuse(void* context, size_t size, size_t alignment) {
  (void)context, (void)size, (void)alignment;
  return NULL;
}
static void never(void* context, void* pointer, size_t size, size_t alignment) {
  (void)context, (void)pointer, (void)size, (void)alignment;
}

int main(void) {
  const mdl_allocator none = {NULL, refuse, never};
  mdl_model_options model_options = MDL_MODEL_OPTIONS_INIT;
  mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  model_options.allocator = program_options.allocator = session_options.allocator = &none;
  model_options.block = (mdl_block){model_block, sizeof(model_block)};
  program_options.block = (mdl_block){program_block, sizeof(program_block)};
  session_options.block = (mdl_block){session_block, sizeof(session_block)};

  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = NULL;
  mdl_program* program = NULL;
  mdl_session* session = NULL;
  const size_t size = (size_t)(model_end - model_begin);
  if (mdl_model_open_memory(model_begin, size, &model_options, &model, &error) != MDL_OK ||
      mdl_program_create(model, &program_options, &program, &error) != MDL_OK ||
      mdl_session_create(program, &session_options, &session, &error) != MDL_OK) {
    return fprintf(stderr, "%s: %s\n", mdl_status_name(error.status), error.text), 1;
  }

  // A beat of the heart, crudely: a spike at the place of the R peak.
  static float beat[SAMPLES];
  static float logits[CLASSES];
  size_t output = 0;
  for (int i = 0; i < 5 && 88 + i < SAMPLES; ++i) beat[88 + i] = 3.0f + (float)(i * (4 - i));
  if (mdl_model_find_output(model, OUTPUT, &output, &error) != MDL_OK ||
      mdl_session_set_input(session, 0, beat, SAMPLES, &error) != MDL_OK) {
    return fprintf(stderr, "%s\n", error.text), 1;
  }
  if (mdl_session_run(session) != MDL_OK) {
    return fprintf(stderr, "%s\n", mdl_session_error(session)), 1;
  }
  if (mdl_session_get_output(session, output, logits, CLASSES, &error) != MDL_OK) {
    return fprintf(stderr, "%s\n", error.text), 1;
  }
  const char* const classes[] = {"N", "S", "V", "Q"};  // of heart beats
  for (int i = 0; i < CLASSES && i < 4; ++i) {
    printf("%s %.3f  ", CLASSES == 4 ? classes[i] : "", (double)logits[i]);
  }
  printf("\n");
  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return 0;
}
