// SPDX-License-Identifier: Apache-2.0
// A bedside ECG monitor in small: reads a recording sample by sample, as from a patient, finds the
// beats with a streaming network, classifies each in INT8 and in FP32, prints beats and alarms, and
// writes a page. Uses nothing but the public C API.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "beat_classifier.h"
#include "beat_finder.h"
#include "network.h"
#include "page.h"
#include "recording.h"

typedef struct monitor {
  network finder_network;
  network int8;
  network fp32;
  size_t int8_logits;
  size_t fp32_logits;
  beat_finder finder;
  alarm_rules rules;
  monitor_log log;
  int peak_count;  // of log.beats, found and perhaps not yet classified
  uint64_t* finder_times;
  long finder_calls;
} monitor;

static int failed(const char* what, const mdl_error* error) {
  fprintf(stderr, "ecg_monitor: %s: %s: %s\n", what, mdl_status_name(error->status), error->text);
  return 0;
}

static void alarm_print(monitor* m, long sample, const char* text) {
  alarm_event* event = &m->log.alarms[m->log.alarm_count++];
  event->sample = sample;
  snprintf(event->text, sizeof(event->text), "%s", text);
  printf("%9.3f  ALARM: %s\n", (double)sample / SAMPLE_RATE, text);
}

// Classifies the oldest beat that waits for its window.
static int classify(monitor* m, long sample) {
  beat* b = &m->log.beats[m->log.beat_count];
  float window[WINDOW];
  mdl_error error = MDL_ERROR_INIT;
  normalise_window(m->log.recording->millivolt + b->peak - BEFORE_PEAK, window);
  if (classify_beat(m->int8.session, m->int8_logits, window, &b->int8, &error) != MDL_OK ||
      classify_beat(m->fp32.session, m->fp32_logits, window, &b->fp32, &error) != MDL_OK) {
    return failed("a beat", &error);
  }
  const char label = kClassNames[b->int8.label];
  char text[64];
  b->gap = m->rules.doubting;
  const int alarm = alarms_on_beat(&m->rules, b->peak, label, text, sizeof(text));
  b->rate = heart_rate(&m->rules);
  char rate[16] = "-";
  if (b->rate > 0) snprintf(rate, sizeof(rate), "%.0f", b->rate);
  printf("%9.3f  %c %.2f  %c %.2f  %5s  %7.1f  %7.1f%s\n", (double)b->peak / SAMPLE_RATE, label,
         b->int8.probability, kClassNames[b->fp32.label], b->fp32.probability, rate,
         (double)b->int8.nanoseconds / 1e3, (double)b->fp32.nanoseconds / 1e3,
         b->int8.label != b->fp32.label ? "  differ" : "");
  ++m->log.beat_count;
  if (alarm > 0) alarm_print(m, sample, text);
  return 1;
}

// What happens when one more sample has come from the patient.
static int take_sample(monitor* m, long sample) {
  mdl_error error = MDL_ERROR_INIT;
  long peak = -1;
  if (beat_finder_push(&m->finder, m->log.recording->millivolt[sample], &peak, &error) != MDL_OK) {
    return failed("finding beats", &error);
  }
  if (m->finder.sample % SAMPLES_PER_CALL == 0) {
    m->finder_times[m->finder_calls++] = m->finder.nanoseconds;
  }
  if (peak >= BEFORE_PEAK) m->log.beats[m->peak_count++].peak = peak;
  if (m->log.beat_count < m->peak_count &&
      m->log.beats[m->log.beat_count].peak + AFTER_PEAK <= sample + 1) {
    return classify(m, sample);
  }
  char text[64];
  if (m->log.beat_count == m->peak_count &&
      alarms_on_silence(&m->rules, sample, beat_finder_wander(&m->finder), text, sizeof(text)) >
          0) {
    alarm_print(m, sample, text);
  }
  return 1;
}

static int by_value(const void* a, const void* b) {
  const uint64_t x = *(const uint64_t*)a;
  const uint64_t y = *(const uint64_t*)b;
  return x < y ? -1 : x > y;
}

static call_times times_of(uint64_t* values, long count) {
  call_times times = {0, 0, 0};
  if (count == 0) return times;
  qsort(values, (size_t)count, sizeof(*values), by_value);
  times.median = values[count / 2];
  times.p99 = values[(99 * count + 99) / 100 - 1];
  times.most = values[count - 1];
  return times;
}

static void print_times(const char* what, const call_times* times) {
  printf("%-20s %8.1f %8.1f %8.1f\n", what, (double)times->median / 1e3, (double)times->p99 / 1e3,
         (double)times->most / 1e3);
}

static void summarise(monitor* m) {
  monitor_log* log = &m->log;
  log->times[0] = times_of(m->finder_times, m->finder_calls);
  for (int i = 0; i < log->beat_count; ++i) m->finder_times[i] = log->beats[i].int8.nanoseconds;
  log->times[1] = times_of(m->finder_times, log->beat_count);
  for (int i = 0; i < log->beat_count; ++i) m->finder_times[i] = log->beats[i].fp32.nanoseconds;
  log->times[2] = times_of(m->finder_times, log->beat_count);
  printf("\n%d beats, %d alarms\n\n", log->beat_count, log->alarm_count);
  printf("time of a call, us     median      p99  largest\n");
  print_times("4 samples", &log->times[0]);
  print_times("a beat, INT8", &log->times[1]);
  print_times("a beat, FP32", &log->times[2]);
}

// One line a beat: sample, then the logits of INT8 and of FP32.
static int write_beats(const char* path, const monitor_log* log) {
  FILE* out = fopen(path, "w");
  if (out == NULL) {
    fprintf(stderr, "ecg_monitor: %s: cannot be written\n", path);
    return 0;
  }
  fprintf(out, "peak,int8_n,int8_s,int8_v,int8_q,fp32_n,fp32_s,fp32_v,fp32_q\n");
  for (int i = 0; i < log->beat_count; ++i) {
    fprintf(out, "%ld", log->beats[i].peak);
    for (int c = 0; c < CLASSES; ++c) fprintf(out, ",%.9g", log->beats[i].int8.logits[c]);
    for (int c = 0; c < CLASSES; ++c) fprintf(out, ",%.9g", log->beats[i].fp32.logits[c]);
    fprintf(out, "\n");
  }
  return fclose(out) == 0;
}

static int watch(monitor* m) {
  printf(
      "A beat stands at the time of its R peak, an alarm at the time at which it is given: half a\n"
      "second after the peak, when the beat's window has come, or after a pause.\n\n");
  printf("   time s  INT8    FP32    rate   INT8 us  FP32 us\n");
  beat_finder_start(&m->finder, m->finder_network.session);
  for (long sample = 0; sample < m->log.recording->count; ++sample) {
    if (!take_sample(m, sample)) return 0;
  }
  summarise(m);
  return 1;
}

static int start(monitor* m, char** models, const ecg_recording* recording) {
  mdl_error error = MDL_ERROR_INIT;
  network* const networks[NETWORKS] = {&m->finder_network, &m->int8, &m->fp32};
  for (int i = 0; i < NETWORKS; ++i) {
    if (network_open(networks[i], models[i], &error) != MDL_OK) return failed(models[i], &error);
    m->log.digests[i] = mdl_model_digest(networks[i]->model);
  }
  if (mdl_model_state_count(m->finder_network.model) == 0) {
    fprintf(stderr,
            "ecg_monitor: %s: forgets everything between two calls, so it would find no beat; "
            "convert it with --state h=h_out\n",
            models[0]);
    return 0;
  }
  if (mdl_model_find_output(m->int8.model, "logits", &m->int8_logits, &error) != MDL_OK ||
      mdl_model_find_output(m->fp32.model, "logits", &m->fp32_logits, &error) != MDL_OK) {
    return failed("ecg_cnn", &error);
  }
  // The finder leaves REFRACTORY samples between two beats; alarms follow a beat or a pause.
  const size_t most = (size_t)recording->count / REFRACTORY + 2;
  m->log.recording = recording;
  m->log.beats = calloc(most, sizeof(beat));
  m->log.alarms = calloc(3 * most, sizeof(alarm_event));
  m->finder_times = calloc((size_t)recording->count / SAMPLES_PER_CALL + most, sizeof(uint64_t));
  if (m->log.beats == NULL || m->log.alarms == NULL || m->finder_times == NULL) {
    fprintf(stderr, "ecg_monitor: no memory for %ld samples\n", recording->count);
    return 0;
  }
  return 1;
}

// The page's file is opened first, so that a wrong place is told before two minutes are watched.
static int watch_and_write(monitor* m, const char* path) {
  FILE* page = fopen(path, "w");
  if (page == NULL) {
    fprintf(stderr, "ecg_monitor: %s: cannot be written\n", path);
    return 0;
  }
  if (watch(m)) return page_write(page, path, &m->log);
  fclose(page);
  remove(path);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 6 || argc > 7) {
    fprintf(stderr,
            "usage: ecg_monitor STREAM.mdl INT8.mdl FP32.mdl RECORDING.npy PAGE.html [BEATS.csv]\n"
            "  STREAM  ecg_stream_gru converted with --state h=h_out\n"
            "  INT8    ecg_cnn, quantized\n"
            "  FP32    ecg_cnn\n");
    return 2;
  }
  ecg_recording recording = {0};
  if (!recording_read(argv[4], &recording)) return 1;
  monitor m;
  memset(&m, 0, sizeof(m));
  const char* slash = strrchr(argv[4], '/');
  m.log.recording_name = slash != NULL ? slash + 1 : argv[4];
  int good = start(&m, argv + 1, &recording) && watch_and_write(&m, argv[5]);
  if (good && argc == 7) good = write_beats(argv[6], &m.log);
  if (good) printf("The page is at %s\n", argv[5]);
  free(m.finder_times);
  free(m.log.alarms);
  free(m.log.beats);
  network_close(&m.fp32);
  network_close(&m.int8);
  network_close(&m.finder_network);
  recording_free(&recording);
  return good ? 0 : 1;
}
