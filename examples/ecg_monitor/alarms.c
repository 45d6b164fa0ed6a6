// SPDX-License-Identifier: Apache-2.0
#include "alarms.h"

#include <stdio.h>
#include <string.h>

#include "beat_finder.h"

double heart_rate(const alarm_rules* rules) {
  if (rules->known <= RATE_BEATS) return 0;
  const double seconds = (double)(rules->peaks[0] - rules->peaks[RATE_BEATS]) / SAMPLE_RATE;
  return 60.0 * RATE_BEATS / seconds;
}

int alarms_on_beat(alarm_rules* rules, long peak, char label, char* text, size_t size) {
  if (rules->doubting) rules->known = 0;
  memmove(&rules->peaks[1], &rules->peaks[0], RATE_BEATS * sizeof(rules->peaks[0]));
  rules->peaks[0] = peak;
  if (rules->known <= RATE_BEATS) ++rules->known;
  rules->pausing = 0;
  rules->doubting = 0;
  rules->run = label == 'V' ? rules->run + 1 : 0;
  if (rules->run == RUN_BEATS) {
    return snprintf(text, size, "%d ventricular beats in a row", RUN_BEATS);
  }
  const double rate = heart_rate(rules);
  const int slow = rate > 0 && rate < SLOW_RATE;
  const int fast = rate > FAST_RATE;
  const int news = (slow && !rules->slow) || (fast && !rules->fast);
  rules->slow = slow;
  rules->fast = fast;
  return news ? snprintf(text, size, "heart rate %.0f a minute", rate) : 0;
}

int alarms_on_silence(alarm_rules* rules, long sample, double wander, char* text, size_t size) {
  if (rules->pausing) return 0;
  const long silence = sample - (rules->known > 0 ? rules->peaks[0] : 0);
  const int unclear = wander >= UNCLEAR_MILLIVOLT;
  if (silence >= PAUSE_SAMPLES) {
    rules->pausing = 1;
    rules->doubting |= unclear;
    return snprintf(text, size, "no beat for %.1f s%s", (double)PAUSE_SAMPLES / SAMPLE_RATE,
                    unclear ? ", signal unclear" : "");
  }
  if (!unclear || rules->doubting || silence < DOUBT_SAMPLES) return 0;
  rules->doubting = 1;
  return snprintf(text, size, "signal unclear, baseline moved %.1f mV", wander);
}
