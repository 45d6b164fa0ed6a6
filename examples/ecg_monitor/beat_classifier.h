// SPDX-License-Identifier: Apache-2.0
// The class of one beat, by one network.
#ifndef ECG_MONITOR_BEAT_CLASSIFIER_H_
#define ECG_MONITOR_BEAT_CLASSIFIER_H_

#include "medulla/medulla.h"

enum {
  BEFORE_PEAK = 90,  // samples of a beat's window before its R peak
  AFTER_PEAK = 170,  // and from it
  WINDOW = BEFORE_PEAK + AFTER_PEAK,
  CLASSES = 4,
  NO_ANSWER = CLASSES,  // the label when a logit is not a number
};

// Normal, supraventricular, ventricular, not classifiable (AAMI).
extern const char kClassNames[CLASSES + 2];  // "NSVQ?", the last: no answer

typedef struct beat_answer {
  float logits[CLASSES];
  float probability;     // of the class, by softmax
  int label;             // index into kClassNames
  uint64_t nanoseconds;  // from the window to the logits
} beat_answer;

// Mean 0 and standard deviation 1 over the window, as the networks were trained.
void normalise_window(const float* millivolt, float window[WINDOW]);

// `session` runs ecg_cnn; `logits_output` is the index of its output "logits".
mdl_status classify_beat(mdl_session* session, size_t logits_output, const float window[WINDOW],
                         beat_answer* answer, mdl_error* error);

#endif  // ECG_MONITOR_BEAT_CLASSIFIER_H_
