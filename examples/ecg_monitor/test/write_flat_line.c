// SPDX-License-Identifier: Apache-2.0
// Writes a recording of four seconds in which no heart beats, as .npy.
#include <stdio.h>

enum { SAMPLES = 4 * 360, ZERO = 1024 };

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: write_flat_line RECORDING.npy\n"), 2;
  FILE* out = fopen(argv[1], "wb");
  if (out == NULL) return fprintf(stderr, "%s: cannot be written\n", argv[1]), 1;
  char text[128];
  const int length = snprintf(
      text, sizeof(text), "{'descr': '<i2', 'fortran_order': False, 'shape': (%d,), }\n", SAMPLES);
  fprintf(out, "\x93NUMPY%c%c%c%c%s", 1, 0, length, 0, text);
  for (int i = 0; i < SAMPLES; ++i) fprintf(out, "%c%c", ZERO & 0xff, ZERO >> 8);
  return fclose(out) == 0 ? 0 : 1;
}
