/* violations.c — how a request differs from the model, as events and people name it. */
#include "base/checked.h"
#include "shield/model.h"

static const struct {
    const char *word, *text;
} violations[] = {
#define RP_VIOLATION(NAME, word, text) {word, text},
#include "shield/violations.def"
#undef RP_VIOLATION
};
_Static_assert(RP_COUNT_OF(violations) == RP_VIOLATION_COUNT, "a text for each");

const char *rp_violation_word(enum rp_violation violation) {
    return violation < RP_VIOLATION_COUNT ? violations[violation].word : "unknown";
}

const char *rp_violation_text(enum rp_violation violation) {
    return violation < RP_VIOLATION_COUNT ? violations[violation].text : "unknown";
}
