// SPDX-License-Identifier: Apache-2.0
// The page that the monitor leaves behind: one self-contained HTML file.
#ifndef ECG_MONITOR_PAGE_H_
#define ECG_MONITOR_PAGE_H_

#include <stdint.h>
#include <stdio.h>

#include "beat_classifier.h"
#include "recording.h"

typedef struct beat {
  long peak;    // sample
  double rate;  // beats a minute, 0: not known yet
  int gap;      // the signal was unclear between the beat before it and this one
  beat_answer int8;
  beat_answer fp32;
} beat;

typedef struct alarm_event {
  long sample;
  char text[64];
} alarm_event;

// Of one call, in nanoseconds.
typedef struct call_times {
  uint64_t median;
  uint64_t p99;
  uint64_t most;
} call_times;

enum { NETWORKS = 3 };  // the streaming one, INT8, FP32

typedef struct monitor_log {
  const ecg_recording* recording;
  const char* recording_name;
  beat* beats;
  int beat_count;
  alarm_event* alarms;
  int alarm_count;
  call_times times[NETWORKS];
  const uint8_t* digests[NETWORKS];  // of the model files, 32 bytes each
} monitor_log;

// Writes and closes the file `path`, open as `out`. Returns 0 after printing what went wrong; the
// file is then not there.
int page_write(FILE* out, const char* path, const monitor_log* log);

#endif  // ECG_MONITOR_PAGE_H_
