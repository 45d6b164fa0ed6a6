// SPDX-License-Identifier: Apache-2.0
#include "beat_classifier.h"

#include <math.h>

#include "network.h"

const char kClassNames[CLASSES + 2] = "NSVQ?";

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
  const mdl_status status = network_run(session, window, WINDOW, logits_output, answer->logits,
                                        CLASSES, &answer->nanoseconds, error);
  if (status != MDL_OK) return status;

  answer->label = NO_ANSWER;
  answer->probability = 0;
  for (int c = 0; c < CLASSES; ++c) {
    if (!isfinite(answer->logits[c])) return MDL_OK;
  }
  answer->label = 0;
  for (int c = 1; c < CLASSES; ++c) {
    if (answer->logits[c] > answer->logits[answer->label]) answer->label = c;
  }
  double sum = 0;
  for (int c = 0; c < CLASSES; ++c) sum += exp(answer->logits[c] - answer->logits[answer->label]);
  answer->probability = (float)(1 / sum);
  return MDL_OK;
}
