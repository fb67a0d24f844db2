#include "shield/sample.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

enum { SHOWN = 48 };

enum rp_sample_label rp_sample_label_named(rp_view word) {
    static const char *const words[RP_SAMPLE_LABEL_COUNT] = {"public", "internal", "personal",
                                                             "sensitive"};
    unsigned i = 0;
    while (i < RP_SAMPLE_LABEL_COUNT && !rp_view_equal(word, rp_view_from_cstr(words[i]))) {
        i++;
    }
    return (enum rp_sample_label)i;
}

/* Letters of any script become "a", digits "9"; the signs, which the rules look for, stay. */
static uint8_t form_of(uint8_t c) {
    uint8_t low = rp_lower(c);
    if ((low >= 'a' && low <= 'z') || c >= 0x80) {
        return 'a';
    }
    return c >= '0' && c <= '9' ? '9' : c;
}

size_t rp_sample(rp_view value, enum rp_sample_label label, uint8_t out[static RP_SAMPLE_MAX]) {
    RP_ASSERT(label < RP_SAMPLE_LABEL_COUNT);
    size_t shown = label == RP_SAMPLE_SENSITIVE ? 0 : RP_MIN(value.n, SHOWN);
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = label == RP_SAMPLE_PERSONAL ? form_of(value.p[i]) : value.p[i];
        out[i] = c >= ' ' && c < 0x7f ? c : '?';
    }
    if (shown == value.n && label != RP_SAMPLE_SENSITIVE) {
        return shown;
    }
    char rest[RP_SAMPLE_MAX - SHOWN];
    int n =
        snprintf(rest, sizeof rest, shown ? "... (%zu)" : "(%zu)", RP_MIN(value.n, (size_t)999999));
    memcpy(out + shown, rest, (size_t)n);
    return shown + (size_t)n;
}
