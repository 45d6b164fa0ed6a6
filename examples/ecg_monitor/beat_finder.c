// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 199309L
#include "beat_finder.h"

#include <math.h>
#include <string.h>
#include <time.h>

uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void beat_finder_start(beat_finder* finder, mdl_session* network) {
  memset(finder, 0, sizeof(*finder));
  finder->network = network;
  finder->pulse_begin = -1;
  finder->last_peak = -REFRACTORY;
}

static float normalise(beat_finder* finder, float millivolt) {
  const double a = 1.0 / SAMPLE_RATE;
  if (finder->sample == 0) finder->mean = millivolt;
  finder->mean += a * (millivolt - finder->mean);
  const double d = millivolt - finder->mean;
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
  finder->history[finder->sample % HISTORY] = normalise(finder, millivolt);
  ++finder->sample;
  if (finder->sample % SAMPLES_PER_CALL != 0) return MDL_OK;

  const long call = finder->sample / SAMPLES_PER_CALL - 1;
  const long first = finder->sample - SAMPLES_PER_CALL;
  float probability = 0;
  const uint64_t start = clock_now();
  mdl_status status = mdl_session_set_input(finder->network, 0, &finder->history[first % HISTORY],
                                            SAMPLES_PER_CALL, error);
  if (status == MDL_OK) status = mdl_session_run(finder->network);
  if (status == MDL_OK) {
    status = mdl_session_get_output(finder->network, 0, &probability, 1, error);
  }
  finder->nanoseconds = clock_now() - start;
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
    *peak = found;
  }
  return MDL_OK;
}
