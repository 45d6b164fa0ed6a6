// SPDX-License-Identifier: Apache-2.0
// The rules by which the monitor calls for somebody. Simple ones, for a demonstration.
#ifndef ECG_MONITOR_ALARMS_H_
#define ECG_MONITOR_ALARMS_H_

#include <stddef.h>

enum {
  RATE_BEATS = 8,  // intervals over which the rate is averaged
  SLOW_RATE = 50,  // beats a minute
  FAST_RATE = 120,
  PAUSE_SAMPLES = 1080,  // 3 s without a beat
  DOUBT_SAMPLES = 720,   // 2 s without a beat while the baseline moves: nobody can say
  RUN_BEATS = 3,         // ventricular beats in a row
};

#define UNCLEAR_MILLIVOLT 1.0  // of the baseline, within one pause

typedef struct alarm_rules {
  long peaks[RATE_BEATS + 1];  // the last ones, newest first
  int known;                   // how many of them
  int run;                     // ventricular beats in a row
  int pausing;                 // the pause was announced
  int doubting;                // the signal was unclear since the last beat
  int slow;
  int fast;
} alarm_rules;

// Beats a minute over the last RATE_BEATS intervals; 0 before there are that many since the start,
// or since the signal was unclear: beats may have gone by unseen in that interval.
double heart_rate(const alarm_rules* rules);

// Tells of a beat, in order. Returns the length of the alarm's text in `text`; 0: no alarm.
int alarms_on_beat(alarm_rules* rules, long peak, char label, char* text, size_t size);

// Tells that no beat was found up to `sample` while the baseline moved by `wander` millivolt.
// Before the first beat the pause counts from sample 0. As above.
int alarms_on_silence(alarm_rules* rules, long sample, double wander, char* text, size_t size);

#endif  // ECG_MONITOR_ALARMS_H_
