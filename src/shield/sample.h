/* sample.h — what somebody sent, shown to whoever judges a false alarm, as plainly as the label of
 * the place allows: as it was and shortened (public, internal), its form alone (personal:
 * "aaaaaa' aa 9=9"), or nothing but its length (sensitive). Printable ASCII always. Pure.
 */
#ifndef RP_SHIELD_SAMPLE_H
#define RP_SHIELD_SAMPLE_H

#include "base/err.h"

enum { RP_SAMPLE_MAX = 64 };
enum rp_sample_label {
    RP_SAMPLE_PUBLIC,
    RP_SAMPLE_INTERNAL,
    RP_SAMPLE_PERSONAL,
    RP_SAMPLE_SENSITIVE,
    RP_SAMPLE_LABEL_COUNT
};

/* RP_SAMPLE_LABEL_COUNT when it is none. */
enum rp_sample_label rp_sample_label_named(rp_view word);
/* The length of what stands in out. */
size_t rp_sample(rp_view value, enum rp_sample_label label, uint8_t out[static RP_SAMPLE_MAX]);

#endif
