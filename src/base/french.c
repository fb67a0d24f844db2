/* french.c — what is said of an error, in French. The English text is the name under which the
 * French one is found, so that the code reads as it speaks.
 */
#include "base/checked.h"
#include "base/err.h"

static const struct {
    const char *english, *french;
} texts[] = {
#define RP_FRENCH(english, french) {english, french},
#include "base/findings.def"
#include "base/french.def"
#include "base/french_tools.def"
#undef RP_FRENCH
#define RP_ERROR(name, class, retry, http, fr, en) {en, fr},
#include "base/errors.def"
#undef RP_ERROR
};

const char *rp_french(const char *english) {
    for (size_t i = 0; i < RP_COUNT_OF(texts); i++) {
        if (strcmp(texts[i].english, english) == 0) {
            return texts[i].french;
        }
    }
    return english;
}

const char *rp_diag_say(const struct rp_diag *diag, const char *english) {
    return diag && diag->french ? rp_french(english) : english;
}
