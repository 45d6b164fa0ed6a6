// SPDX-License-Identifier: Apache-2.0
#include "recording.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char* path, const char* what, FILE* file) {
  fprintf(stderr, "ecg_monitor: %s: %s\n", path, what);
  if (file != NULL) fclose(file);
  return 0;
}

int recording_read(const char* path, ecg_recording* recording) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return fail(path, "cannot be opened", NULL);
  // Magic, version 1.0, the length of the description, the description (a Python dict).
  unsigned char head[10];
  if (fread(head, 1, sizeof(head), file) != sizeof(head) || memcmp(head, "\x93NUMPY\x01", 7) != 0) {
    return fail(path, "is not a .npy file of version 1", file);
  }
  char description[1024];
  const size_t length = (size_t)head[8] | (size_t)head[9] << 8;
  if (length >= sizeof(description) || fread(description, 1, length, file) != length) {
    return fail(path, "its header is cut or too long", file);
  }
  description[length] = 0;
  const char* shape = strstr(description, "'shape': (");
  char* end = NULL;
  const long count = shape != NULL ? strtol(shape + strlen("'shape': ("), &end, 10) : 0;
  if (strstr(description, "'<i2'") == NULL || count <= 0 || count > 100000000 || *end != ',' ||
      end[1] != ')') {
    return fail(path, "should hold one row of int16 samples", file);
  }
  int16_t* raw = malloc((size_t)count * sizeof(*raw));
  recording->millivolt = malloc((size_t)count * sizeof(float));
  recording->count = count;
  if (raw == NULL || recording->millivolt == NULL ||
      fread(raw, sizeof(*raw), (size_t)count, file) != (size_t)count) {
    free(raw);
    recording_free(recording);
    return fail(path, "is shorter than its header says", file);
  }
  for (long i = 0; i < count; ++i) {
    recording->millivolt[i] = (float)(raw[i] - ADC_ZERO) / ADC_PER_MILLIVOLT;
  }
  free(raw);
  fclose(file);
  return 1;
}

void recording_free(ecg_recording* recording) {
  free(recording->millivolt);
  recording->millivolt = NULL;
}
