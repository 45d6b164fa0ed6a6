// SPDX-License-Identifier: Apache-2.0
#include "beat_finder.h"

#include <math.h>
#include <string.h>

#include "network.h"

void beat_finder_start(beat_finder* finder, mdl_session* session) {
  memset(finder, 0, sizeof(*finder));
  finder->session = session;
  finder->pulse_begin = -1;
  finder->last_peak = -REFRACTORY;
}

#define BASELINE_RATE (1.0 / 57)  // of one sample: 1 Hz at 360 Hz

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

// What is slower than 1 Hz goes first: an electrode that moves lifts the signal by millivolts, and
// the variance would remember that for seconds in which beats look small.
static double remove_baseline(beat_finder* finder, double millivolt) {
  if (finder->sample == 0) {
    finder->baseline = finder->lowest = finder->highest = millivolt;
  }
  finder->baseline += BASELINE_RATE * (millivolt - finder->baseline);
  finder->lowest = least(finder->lowest, finder->baseline);
  finder->highest = most(finder->highest, finder->baseline);
  return millivolt - finder->baseline;
}

static float normalise(beat_finder* finder, double steady) {
  const double a = 1.0 / SAMPLE_RATE;
  if (finder->sample == 0) finder->mean = steady;
  finder->mean += a * (steady - finder->mean);
  const double d = steady - finder->mean;
  finder->variance += a * (d * d - finder->variance);
  const double z = d / sqrt(finder->variance + 1e-6);
  return (float)(z < -8 ? -8 : z > 8 ? 8 : z);
}

// The greatest deflection near `guess`.
static long refine(const beat_finder* finder, long guess) {
  long best = -1;
  float height = -1;
  for (long s = guess - SEARCH; s <= guess + SEARCH; ++s) {
    if (s < 0 || s >= finder->sample || s < finder->sample - HISTORY) continue;
    const float h = fabsf(finder->history[s % HISTORY]);
    if (h > height) {
      height = h;
      best = s;
    }
  }
  return best;
}

mdl_status beat_finder_push(beat_finder* finder, float millivolt, long* peak, mdl_error* error) {
  *peak = -1;
  finder->history[finder->sample % HISTORY] = normalise(finder, remove_baseline(finder, millivolt));
  ++finder->sample;
  if (finder->sample % SAMPLES_PER_CALL != 0) return MDL_OK;

  const long call = finder->sample / SAMPLES_PER_CALL - 1;
  const long first = finder->sample - SAMPLES_PER_CALL;
  float probability = 0;
  const mdl_status status =
      network_run(finder->session, &finder->history[first % HISTORY], SAMPLES_PER_CALL, 0,
                  &probability, 1, &finder->nanoseconds, error);
  if (status != MDL_OK) return status;

  if (probability >= 0.5f) {
    if (finder->pulse_begin < 0) finder->pulse_begin = call;
    return MDL_OK;
  }
  if (finder->pulse_begin < 0) return MDL_OK;
  // The pulse has ended: its middle stands a known delay behind the peak.
  const long middle = (finder->pulse_begin + call - 1) * SAMPLES_PER_CALL / 2 + 2;
  finder->pulse_begin = -1;
  const long found = refine(finder, middle - NETWORK_DELAY);
  if (found >= 0 && found - finder->last_peak > REFRACTORY) {
    finder->last_peak = found;
    finder->lowest = finder->highest = finder->baseline;
    *peak = found;
  }
  return MDL_OK;
}

double beat_finder_wander(const beat_finder* finder) { return finder->highest - finder->lowest; }
