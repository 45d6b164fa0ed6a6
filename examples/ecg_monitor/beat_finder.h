// SPDX-License-Identifier: Apache-2.0
// From raw samples to the places of R peaks, one sample at a time, with a streaming network.
#ifndef ECG_MONITOR_BEAT_FINDER_H_
#define ECG_MONITOR_BEAT_FINDER_H_

#include "medulla/medulla.h"

enum {
  SAMPLE_RATE = 360,     // Hz, of the recording and of the networks
  SAMPLES_PER_CALL = 4,  // what ecg_stream_gru reads at once
  NETWORK_DELAY = 30,    // samples from an R peak to the middle of the network's answer
  SEARCH = 18,           // samples to either side of its estimate in which the peak is looked for
  REFRACTORY = 72,       // samples in which the heart cannot beat again: 200 ms
  HISTORY = 128,         // normalised samples that are kept; a power of two
};

typedef struct beat_finder {
  mdl_session* session;
  double baseline;  // what of the signal is slower than 1 Hz, millivolt
  double lowest;    // of it since the last beat
  double highest;
  // Running mean and variance: the network was trained on (x - mean) / sqrt(variance).
  double mean;
  double variance;
  float history[HISTORY];
  long sample;       // samples seen so far
  long pulse_begin;  // call in which the network's answer rose above one half, or -1
  long last_peak;
  uint64_t nanoseconds;  // that the last call of the network took
} beat_finder;

// `session` runs ecg_stream_gru, its state h carried from call to call; it stays the caller's.
void beat_finder_start(beat_finder* finder, mdl_session* session);

// Feeds one sample in millivolt. *peak receives the number of the sample at which a beat's R peak
// was, some 100 ms ago, or -1.
mdl_status beat_finder_push(beat_finder* finder, float millivolt, long* peak, mdl_error* error);

// By how many millivolt the baseline moved since the last beat: a loose electrode, not the heart.
double beat_finder_wander(const beat_finder* finder);

#endif  // ECG_MONITOR_BEAT_FINDER_H_
