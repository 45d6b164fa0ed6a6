// SPDX-License-Identifier: Apache-2.0
// The rate begins anew where the signal was unclear, and only there.
#include <math.h>
#include <stdio.h>

#include "../alarms.h"
#include "../beat_finder.h"

static int failures;

static void expect(const char* what, double found, double expected) {
  if (fabs(found - expected) < 0.01) return;
  fprintf(stderr, "%s: the rate is %.2f, should be %.2f\n", what, found, expected);
  ++failures;
}

// `count` beats a second apart, from `*peak` on; `*peak` becomes the next one's place.
static void beats(alarm_rules* rules, int count, long* peak) {
  char text[64];
  for (int i = 0; i < count; ++i) {
    alarms_on_beat(rules, *peak, 'N', text, sizeof(text));
    *peak += SAMPLE_RATE;
  }
}

static void silence(alarm_rules* rules, long from, long to, double wander) {
  char text[64];
  for (long s = from; s < to; ++s) alarms_on_silence(rules, s, wander, text, sizeof(text));
}

int main(void) {
  // Unclear for 2.5 s; unclear from the third second on; a pause in a clear signal.
  const double wanders[3][2] = {{2, 2}, {0, 2}, {0, 0}};
  const long gaps[3] = {900, 1440, 1440};
  for (int k = 0; k < 3; ++k) {
    alarm_rules rules = {0};
    long peak = 1000;
    beats(&rules, RATE_BEATS, &peak);
    expect("before there are eight intervals", heart_rate(&rules), 0);
    beats(&rules, 2, &peak);
    expect("a steady rhythm", heart_rate(&rules), 60);
    const long last = peak - SAMPLE_RATE;
    peak = last + gaps[k];
    silence(&rules, last, last + DOUBT_SAMPLES, wanders[k][0]);
    silence(&rules, last + DOUBT_SAMPLES, peak, wanders[k][1]);
    beats(&rules, 1, &peak);
    expect("behind a gap", heart_rate(&rules), k == 2 ? 60.0 * 8 / (7 + 4) : 0);
    beats(&rules, RATE_BEATS, &peak);
    expect("eight intervals behind it", heart_rate(&rules), 60);
  }
  return failures != 0;
}
