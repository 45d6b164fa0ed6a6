// SPDX-License-Identifier: Apache-2.0
// Compares the beats that the monitor found with the golden ones: the same peaks; FP32 logits
// within 1e-4; INT8 and FP32 labels equal but for at most one beat in a hundred of INT8.
#include <math.h>
#include <stdio.h>

enum { COLUMNS = 9, LOGITS = 4 };

static int read_line(FILE* file, double values[COLUMNS]) {
  for (int c = 0; c < COLUMNS; ++c) {
    if (fscanf(file, c == 0 ? " %lf" : ",%lf", &values[c]) != 1) return 0;
  }
  return 1;
}

static int greatest(const double* logits) {
  int best = 0;
  for (int c = 1; c < LOGITS; ++c) {
    if (logits[c] > logits[best]) best = c;
  }
  return best;
}

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: compare_beats BEATS.csv GOLDEN.csv\n"), 2;
  FILE* found = fopen(argv[1], "r");
  FILE* golden = fopen(argv[2], "r");
  if (found == NULL || golden == NULL) return fprintf(stderr, "a file cannot be opened\n"), 2;
  if (fscanf(found, "%*[^\n]") != 0 || fscanf(golden, "%*[^\n]") != 0) return 2;

  int beats = 0;
  int int8_labels = 0;
  int wrong = 0;
  double worst = 0;
  double a[COLUMNS];
  double b[COLUMNS];
  int have_a = read_line(found, a);
  int have_b = read_line(golden, b);
  for (; have_a && have_b; have_a = read_line(found, a), have_b = read_line(golden, b)) {
    ++beats;
    wrong += a[0] != b[0];
    for (int c = 1 + LOGITS; c < COLUMNS; ++c) {
      const double difference = fabs(a[c] - b[c]);
      if (!(difference <= worst)) worst = difference;  // NaN too
    }
    wrong += greatest(a + 1 + LOGITS) != greatest(b + 1 + LOGITS);
    int8_labels += greatest(a + 1) == greatest(b + 1);
  }
  fclose(found);
  fclose(golden);
  printf("%d beats: FP32 logits differ by at most %.2g, INT8 labels agree on %d, %d wrong\n", beats,
         worst, int8_labels, wrong);
  const int good = beats > 0 && !have_a && !have_b && wrong == 0 && worst <= 1e-4 &&
                   100 * int8_labels >= 99 * beats;
  if (have_a != have_b) printf("one file has more beats than the other\n");
  return good ? 0 : 1;
}
