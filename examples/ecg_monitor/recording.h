// SPDX-License-Identifier: Apache-2.0
// A recording in memory, read from a .npy file of int16.
#ifndef ECG_MONITOR_RECORDING_H_
#define ECG_MONITOR_RECORDING_H_

enum { ADC_ZERO = 1024, ADC_PER_MILLIVOLT = 200 };  // of the MIT-BIH recordings

typedef struct ecg_recording {
  float* millivolt;
  long count;
} ecg_recording;

// Returns 0 after printing what is wrong with the file.
int recording_read(const char* path, ecg_recording* recording);
void recording_free(ecg_recording* recording);

#endif  // ECG_MONITOR_RECORDING_H_
