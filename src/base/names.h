// SPDX-License-Identifier: Apache-2.0
// Lists of names separated by commas, as options carry them.
#ifndef MEDULLA_SRC_BASE_NAMES_H_
#define MEDULLA_SRC_BASE_NAMES_H_

#include <string_view>

namespace medulla {

// Takes the first name off `*list`, blanks around it off too; false when none is left. Empty names
// are passed over.
inline bool next_name(std::string_view* list, std::string_view* name) {
  while (!list->empty()) {
    *name = list->substr(0, list->find(','));
    list->remove_prefix(name->size() < list->size() ? name->size() + 1 : name->size());
    while (!name->empty() && name->front() == ' ') name->remove_prefix(1);
    while (!name->empty() && name->back() == ' ') name->remove_suffix(1);
    if (!name->empty()) return true;
  }
  return false;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_BASE_NAMES_H_
