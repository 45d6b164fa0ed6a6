// SPDX-License-Identifier: Apache-2.0
#include "src/base/caches.h"

#if MEDULLA_CPUINFO
#include <cpuinfo.h>
#endif

namespace medulla {

CacheSizes host_caches() {
  CacheSizes sizes;
#if MEDULLA_CPUINFO
  if (!cpuinfo_initialize()) return sizes;
  const cpuinfo_cache* l1d = cpuinfo_get_l1d_cache(0);
  const cpuinfo_cache* l2 = cpuinfo_get_l2_cache(0);
  const cpuinfo_cache* l3 = cpuinfo_get_l3_cache(0);
  if (l1d != nullptr) sizes.l1d = l1d->size;
  if (l2 != nullptr) sizes.l2 = l2->size;
  if (l3 != nullptr) sizes.l3 = l3->size;
#endif
  return sizes;
}

}  // namespace medulla
