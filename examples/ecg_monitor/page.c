// SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "beat_finder.h"

enum {
  ROW_SECONDS = 10,
  ROW_SAMPLES = ROW_SECONDS * SAMPLE_RATE,
  ROW_WIDTH = 1200,
  ROW_ABOVE = 40,  // pixels of a row above the signal, for the marks
  ROW_BELOW = 36,
  MILLIVOLT_HEIGHT = 40,
  RATE_HEIGHT = 180,  // of the chart, a pixel for each beat a minute
};

static const char* const kColours[CLASSES + 1] = {"#1b7f3b", "#1f6fb2", "#c62828", "#7a5195",
                                                  "#777"};
static const char* const kLongNames[CLASSES + 1] = {"normal", "supraventricular", "ventricular",
                                                    "not classifiable", "no answer"};

static double x_of(long sample) { return (double)sample * ROW_WIDTH / ROW_SAMPLES; }

static void write_text(FILE* out, const char* text) {
  for (; *text != 0; ++text) {
    if (*text == '<' || *text == '>' || *text == '&') {
      fprintf(out, "&#%d;", *text);
    } else {
      fputc(*text, out);
    }
  }
}

static void write_head(FILE* out, const monitor_log* log) {
  fprintf(out,
          "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<title>Medulla ECG monitor</title>\n<style>\n"
          "body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1240px;margin:2em auto;"
          "padding:0 1em}\n"
          "h1{font-size:1.5em;margin-bottom:.2em}h2{font-size:1.15em;margin-top:2em}\n"
          ".warn{border-left:4px solid #c62828;background:#fdf1f0;padding:.6em 1em}\n"
          "table{border-collapse:collapse}td,th{padding:.2em .9em;text-align:right;"
          "border-bottom:1px solid #ddd}th{font-weight:600}td.l,th.l{text-align:left}\n"
          "svg{display:block;width:100%%;height:auto;background:#fffaf7;margin:.3em 0}\n"
          "svg text{font:12px system-ui,sans-serif}\n"
          ".big{font-size:2em;font-weight:600}.stat{display:inline-block;margin-right:3em}\n"
          ".stat span{display:block;color:#666;font-size:.85em}\n</style>\n</head>\n<body>\n"
          "<h1>Medulla ECG monitor</h1>\n<p>");
  write_text(out, log->recording_name);
  fprintf(out,
          ", %.0f s at %d Hz. Every sample went through the "
          "streaming network <code>ecg_stream_gru</code>, every beat through "
          "<code>ecg_cnn</code> in INT8 and in FP32, on this machine.</p>\n"
          "<p class=\"warn\"><b>Not for clinical use.</b> Small networks, trained on few patients "
          "for the demonstration of a runtime. No figure here says that they are fit to look at a "
          "patient.</p>\n",
          (double)log->recording->count / SAMPLE_RATE, SAMPLE_RATE);
}

// What the models' makers found that they cannot do.
static void write_limits(FILE* out) {
  fprintf(
      out,
      "<h2>Limits</h2>\n<ul>\n"
      "<li>Beats: one beat carries no rhythm, so class S (premature by time) is guesswork, and "
      "most of the data's S beats come from one patient; class Q is one patient in training; "
      "bundle "
      "branch block and fibrillation, which few training patients have, are often taken for S or "
      "V.</li>\n"
      "<li>Stream: tested on one clean recording. Noise, arrhythmia and other patients are "
      "untested; the demonstration's recording has both noise and arrhythmia.</li>\n"
      "<li>Preprocessing: a beat is 90 samples before the R peak and 170 from it at %d Hz, "
      "z-scored; the stream is normalised by its running mean and variance over about a second "
      "and cut at 8 deviations, after what is slower than 1 Hz was taken from it, which training "
      "did not do.</li>\n"
      "<li>The demonstration's recording: two minutes of record 208, lead MLII, of the MIT-BIH "
      "Arrhythmia Database. No model has seen this patient.</li>\n</ul>\n",
      SAMPLE_RATE);
}

// Beats a minute over all intervals between two beats but those in which the signal was unclear.
static double mean_rate(const monitor_log* log) {
  long samples = 0;
  int intervals = 0;
  for (int i = 1; i < log->beat_count; ++i) {
    if (log->beats[i].gap) continue;
    samples += log->beats[i].peak - log->beats[i - 1].peak;
    ++intervals;
  }
  return samples > 0 ? 60.0 * SAMPLE_RATE * intervals / (double)samples : 0;
}

// The CPU's name as Linux tells it, else "unknown".
static void write_cpu(FILE* out) {
  char line[256];
  FILE* in = fopen("/proc/cpuinfo", "r");
  const char* name = "unknown";
  while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
    if (strncmp(line, "model name", 10) != 0 || strchr(line, ':') == NULL) continue;
    line[strcspn(line, "\n")] = 0;
    name = strchr(line, ':') + 1;
    break;
  }
  if (in != NULL) fclose(in);
  write_text(out, name + strspn(name, " "));
}

static void write_times(FILE* out, const monitor_log* log) {
  static const char* const kNames[NETWORKS] = {"ecg_stream_gru, 4 samples (11.1 ms of signal)",
                                               "ecg_cnn INT8, one beat", "ecg_cnn FP32, one beat"};
  fprintf(out,
          "<h2>Time of one inference</h2>\n<table><tr><th class=\"l\">network</th>"
          "<th>median, us</th><th>99 %% within, us</th><th>largest, us</th>"
          "<th class=\"l\">digest of the file</th></tr>\n");
  for (int n = 0; n < NETWORKS; ++n) {
    const call_times* t = &log->times[n];
    fprintf(out,
            "<tr><td class=\"l\">%s</td><td>%.1f</td><td>%.1f</td><td>%.1f</td>"
            "<td class=\"l\"><code style=\"font-size:.7em\">",
            kNames[n], (double)t->median / 1e3, (double)t->p99 / 1e3, (double)t->most / 1e3);
    for (int i = 0; i < 32; ++i) fprintf(out, "%02x", log->digests[n][i]);
    fprintf(out, "</code></td></tr>\n");
  }
  char isa[256];
  mdl_host_isa(isa, sizeof(isa));
  fprintf(out, "</table>\n<p>CPU: ");
  write_cpu(out);
  fprintf(out,
          "; instruction sets: %s. Time on the clock, one thread, what the system did meanwhile "
          "included: the largest is of an ordinary system, not of one made for real time.</p>\n",
          isa[0] != 0 ? isa : "portable");
}

static void write_summary(FILE* out, const monitor_log* log) {
  int count[CLASSES + 1] = {0};
  int differ = 0;
  int gaps = 0;
  for (int i = 0; i < log->beat_count; ++i) {
    ++count[log->beats[i].int8.label];
    gaps += i > 0 && log->beats[i].gap;
    differ += log->beats[i].int8.label != log->beats[i].fp32.label;
  }
  fprintf(out,
          "<p><span class=\"stat\"><span>beats</span><b class=\"big\">%d</b></span>"
          "<span class=\"stat\"><span>mean rate, per minute</span><b class=\"big\">%.0f</b></span>"
          "<span class=\"stat\"><span>INT8 and FP32 differ</span><b class=\"big\">%d</b></span>"
          "<span class=\"stat\"><span>alarms</span><b class=\"big\">%d</b></span></p>\n",
          log->beat_count, mean_rate(log), differ, log->alarm_count);
  fprintf(out, "<table><tr><th class=\"l\">class</th><th>beats</th><th>share</th></tr>\n");
  for (int c = 0; c <= CLASSES; ++c) {
    if (c == NO_ANSWER && count[c] == 0) continue;
    fprintf(
        out,
        "<tr><td class=\"l\"><svg style=\"display:inline;width:12px;background:none\" "
        "viewBox=\"0 0 12 12\"><circle cx=\"6\" cy=\"6\" r=\"5\" fill=\"%s\"/></svg> %c, %s</td>"
        "<td>%d</td><td>%.1f %%</td></tr>\n",
        kColours[c], kClassNames[c], kLongNames[c], count[c],
        log->beat_count > 0 ? 100.0 * count[c] / log->beat_count : 0.0);
  }
  fprintf(out,
          "</table>\n<p>The mean rate leaves out %d %s in which the signal was unclear; beats in "
          "there are not counted.</p>\n",
          gaps, gaps == 1 ? "interval" : "intervals");
}

// The rhythm's rate over time.
static void write_rate(FILE* out, const monitor_log* log) {
  const double seconds = (double)log->recording->count / SAMPLE_RATE;
  fprintf(out,
          "<h2>Rate</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"heart rate over "
          "time\">\n",
          ROW_WIDTH, RATE_HEIGHT);
  for (int rate = 40; rate <= 160; rate += 40) {
    fprintf(out,
            "<line x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#eadfd8\"/>"
            "<text x=\"2\" y=\"%d\" fill=\"#888\">%d</text>\n",
            ROW_WIDTH, RATE_HEIGHT - rate, RATE_HEIGHT - rate, RATE_HEIGHT - 3 - rate, rate);
  }
  for (int i = 1; i < log->beat_count; ++i) {
    if (!log->beats[i].gap) continue;
    const double from = (double)log->beats[i - 1].peak / SAMPLE_RATE / seconds * ROW_WIDTH;
    const double to = (double)log->beats[i].peak / SAMPLE_RATE / seconds * ROW_WIDTH;
    fprintf(out, "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%d\" fill=\"#f1d0c8\"/>\n", from,
            to - from, RATE_HEIGHT);
  }
  const char* begin = "<polyline fill=\"none\" stroke=\"#333\" stroke-width=\"1.5\" points=\"";
  int drawing = 0;
  for (int i = 0; i < log->beat_count; ++i) {
    const beat* b = &log->beats[i];
    if (b->rate <= 0) {
      if (drawing) fprintf(out, "\"/>\n");
      drawing = 0;
      continue;
    }
    if (!drawing) fputs(begin, out);
    drawing = 1;
    const double rate = b->rate > RATE_HEIGHT - 2 ? RATE_HEIGHT - 2 : b->rate;
    fprintf(out, "%.1f,%.1f ", (double)b->peak / SAMPLE_RATE / seconds * ROW_WIDTH,
            RATE_HEIGHT - rate);
  }
  if (drawing) fprintf(out, "\"/>\n");
  fprintf(out,
          "</svg>\n<p>Beats a minute, over the last eight intervals. Where the signal was unclear "
          "(shaded) beats may be missing: the average begins anew behind it.</p>\n");
}

static void write_beat_mark(FILE* out, const beat* b, long row_start, double height) {
  const double x = x_of(b->peak - row_start);
  const int label = b->int8.label;
  fprintf(
      out,
      "<g><title>%.3f s: INT8 %c %.2f, FP32 %c %.2f</title><circle cx=\"%.1f\" cy=\"14\" r=\"6\" "
      "fill=\"%s\"/><text x=\"%.1f\" y=\"33\" text-anchor=\"middle\" fill=\"%s\">%c</text>",
      (double)b->peak / SAMPLE_RATE, kClassNames[label], b->int8.probability,
      kClassNames[b->fp32.label], b->fp32.probability, x, kColours[label], x, kColours[label],
      kClassNames[label]);
  if (b->fp32.label != label) {
    fprintf(
        out,
        "<rect x=\"%.1f\" y=\"3\" width=\"22\" height=\"%.1f\" fill=\"none\" stroke=\"#e08a00\" "
        "stroke-width=\"2\"/>",
        x - 11, height - 8);
  }
  fprintf(out, "</g>\n");
}

static void write_strip(FILE* out, const monitor_log* log) {
  const ecg_recording* r = log->recording;
  fprintf(
      out,
      "<h2>Strip</h2>\n<p>Ten seconds a row, %d pixels a millivolt. A dot stands over each beat in "
      "the colour of its class by the INT8 network; an orange frame marks a beat that the FP32 "
      "network classifies otherwise; a red bar marks an alarm, where it was given.</p>\n",
      MILLIVOLT_HEIGHT);
  int next = 0;
  int next_alarm = 0;
  for (long start = 0; start < r->count; start += ROW_SAMPLES) {
    const long end = start + ROW_SAMPLES < r->count ? start + ROW_SAMPLES : r->count;
    float low = r->millivolt[start];
    float high = low;
    for (long s = start; s < end; ++s) {
      low = r->millivolt[s] < low ? r->millivolt[s] : low;
      high = r->millivolt[s] > high ? r->millivolt[s] : high;
    }
    // As high as the signal of these seconds, so that none of it is cut off.
    const int height = ROW_ABOVE + (int)((high - low) * MILLIVOLT_HEIGHT) + ROW_BELOW;
    fprintf(out, "<svg viewBox=\"0 0 %d %d\">\n", ROW_WIDTH, height);
    for (int second = 0; second < ROW_SECONDS; ++second) {
      fprintf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"0\" y2=\"%d\" stroke=\"#f3d9d0\"/>\n",
              second * ROW_WIDTH / ROW_SECONDS, second * ROW_WIDTH / ROW_SECONDS, height);
    }
    fprintf(out, "<text x=\"2\" y=\"%d\" fill=\"#888\">%ld s</text>\n", height - 4,
            start / SAMPLE_RATE);
    fprintf(out, "<polyline fill=\"none\" stroke=\"#222\" points=\"");
    for (long s = start; s < end; s += 2) {
      fprintf(out, "%.1f,%.1f ", x_of(s - start),
              ROW_ABOVE + (double)(high - r->millivolt[s]) * MILLIVOLT_HEIGHT);
    }
    fprintf(out, "\"/>\n");
    for (; next < log->beat_count && log->beats[next].peak < end; ++next) {
      write_beat_mark(out, &log->beats[next], start, height);
    }
    for (; next_alarm < log->alarm_count && log->alarms[next_alarm].sample < end; ++next_alarm) {
      const alarm_event* alarm = &log->alarms[next_alarm];
      const double x = x_of(alarm->sample - start);
      fprintf(out,
              "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\" stroke=\"#c62828\" "
              "stroke-width=\"3\"/><text x=\"%.1f\" y=\"%d\" fill=\"#c62828\">%s</text>\n",
              x, x, height, x + 5 > ROW_WIDTH - 260 ? x - 260 : x + 5,
              height - 6 - 14 * (next_alarm % 2), alarm->text);
    }
    fprintf(out, "</svg>\n");
  }
}

static void write_alarms(FILE* out, const monitor_log* log) {
  fprintf(out,
          "<h2>Alarms</h2>\n<p>At the time at which they were given: after a beat's window, half a "
          "second behind its R peak, or after a pause.</p>\n<table><tr><th>time, s</th>"
          "<th class=\"l\">alarm</th></tr>\n");
  for (int i = 0; i < log->alarm_count; ++i) {
    fprintf(out, "<tr><td>%.3f</td><td class=\"l\">%s</td></tr>\n",
            (double)log->alarms[i].sample / SAMPLE_RATE, log->alarms[i].text);
  }
  fprintf(out, "</table>\n");
}

static void write_differences(FILE* out, const monitor_log* log) {
  fprintf(out,
          "<h2>Where INT8 and FP32 differ</h2>\n<table><tr><th>time, s</th><th>INT8</th>"
          "<th>its probability</th><th>FP32</th><th>its probability</th></tr>\n");
  for (int i = 0; i < log->beat_count; ++i) {
    const beat* b = &log->beats[i];
    if (b->int8.label == b->fp32.label) continue;
    fprintf(out, "<tr><td>%.3f</td><td>%c</td><td>%.3f</td><td>%c</td><td>%.3f</td></tr>\n",
            (double)b->peak / SAMPLE_RATE, kClassNames[b->int8.label], b->int8.probability,
            kClassNames[b->fp32.label], b->fp32.probability);
  }
  fprintf(out,
          "</table>\n<h2>Source</h2>\n<p>Networks: Apache-2.0, trained on the MIT-BIH "
          "Arrhythmia Database (Moody and Mark, PhysioNet, ODC-By 1.0), from which the "
          "demonstration's recording comes too.</p>\n</body>\n</html>\n");
}

int page_write(FILE* out, const char* path, const monitor_log* log) {
  write_head(out, log);
  write_limits(out);
  write_summary(out, log);
  write_times(out, log);
  write_rate(out, log);
  write_alarms(out, log);
  write_strip(out, log);
  write_differences(out, log);
  const int bad = ferror(out);
  if (fclose(out) != 0 || bad) {
    fprintf(stderr, "ecg_monitor: %s: writing failed (disk full?)\n", path);
    remove(path);
    return 0;
  }
  return 1;
}
