// SPDX-License-Identifier: Apache-2.0
// One network, ready to run, and a run of it with the time that it takes.
#ifndef ECG_MONITOR_NETWORK_H_
#define ECG_MONITOR_NETWORK_H_

#include "medulla/medulla.h"

typedef struct network {
  mdl_model* model;
  mdl_program* program;
  mdl_session* session;
} network;

mdl_status network_open(network* n, const char* path, mdl_error* error);
void network_close(network* n);

// Feeds `count` numbers to input 0, runs, and reads `answers` numbers of `output`. Whatever step
// fails, *error says why.
mdl_status network_run(mdl_session* session, const float* input, size_t count, size_t output,
                       float* answer, size_t answers, uint64_t* nanoseconds, mdl_error* error);

#endif  // ECG_MONITOR_NETWORK_H_
