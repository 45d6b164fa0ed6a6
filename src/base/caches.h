// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_SRC_BASE_CACHES_H_
#define MEDULLA_SRC_BASE_CACHES_H_

#include <cstdint>

namespace medulla {

// Bytes of the data caches that one core reaches; 0: not known.
struct CacheSizes {
  uint64_t l1d = 0;
  uint64_t l2 = 0;
  uint64_t l3 = 0;
};

CacheSizes host_caches();

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_CACHES_H_
