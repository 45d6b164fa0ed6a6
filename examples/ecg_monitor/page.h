// SPDX-License-Identifier: Apache-2.0
// The page that the monitor leaves behind: one self-contained HTML file.
#ifndef ECG_MONITOR_PAGE_H_
#define ECG_MONITOR_PAGE_H_

#include <stdint.h>

#include "beat_classifier.h"
#include "recording.h"

typedef struct beat {
  long peak;    // sample
  double rate;  // beats a minute, 0: not known yet
  beat_answer int8;
  beat_answer fp32;
} beat;

typedef struct alarm_event {
  long sample;
  char text[64];
} alarm_event;

typedef struct monitor_log {
  const ecg_recording* recording;
  const char* recording_name;
  beat* beats;
  int beat_count;
  alarm_event* alarms;
  int alarm_count;
  uint64_t finder_nanoseconds;  // median of one call of the streaming network
  uint64_t int8_nanoseconds;    // median of one beat
  uint64_t fp32_nanoseconds;
} monitor_log;

// Returns 0 after printing what went wrong; the file is then not there.
int page_write(const char* path, const monitor_log* log);

#endif  // ECG_MONITOR_PAGE_H_
