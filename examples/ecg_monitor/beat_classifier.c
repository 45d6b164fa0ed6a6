// SPDX-License-Identifier: Apache-2.0
#include "beat_classifier.h"

#include <math.h>

#include "beat_finder.h"

const char kClassNames[CLASSES + 1] = "NSVQ";

void normalise_window(const float* millivolt, float window[WINDOW]) {
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < WINDOW; ++i) sum += millivolt[i];
  const double mean = sum / WINDOW;
  for (int i = 0; i < WINDOW; ++i) squares += (millivolt[i] - mean) * (millivolt[i] - mean);
  const double deviation = sqrt(squares / WINDOW);
  for (int i = 0; i < WINDOW; ++i) {
    window[i] = deviation > 0 ? (float)((millivolt[i] - mean) / deviation) : 0;
  }
}

mdl_status classify_beat(mdl_session* session, size_t logits_output, const float window[WINDOW],
                         beat_answer* answer, mdl_error* error) {
  const uint64_t start = clock_now();
  mdl_status status = mdl_session_set_input(session, 0, window, WINDOW, error);
  if (status == MDL_OK) status = mdl_session_run(session);
  if (status == MDL_OK) {
    status = mdl_session_get_output(session, logits_output, answer->logits, CLASSES, error);
  }
  answer->nanoseconds = clock_now() - start;
  if (status != MDL_OK) return status;

  answer->label = 0;
  for (int c = 1; c < CLASSES; ++c) {
    if (answer->logits[c] > answer->logits[answer->label]) answer->label = c;
  }
  double sum = 0;
  for (int c = 0; c < CLASSES; ++c) sum += exp(answer->logits[c] - answer->logits[answer->label]);
  answer->probability = (float)(1 / sum);
  return MDL_OK;
}
