#include "base/reader.h"

#include <stdlib.h>

#include "base/checked.h"

enum rp_lang rp_reader_language(void) {
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            return value[0] == 'f' && value[1] == 'r' ? RP_FR : RP_EN;
        }
    }
    return RP_EN;
}
