/* french.c — what the parser says, in the language of who reads it. The English text is the name
 * under which the French one is found, so that the code reads as it speaks.
 */
#include "base/checked.h"
#include "config/internal.h"

static const struct {
    const char *english, *french;
} texts[] = {
#define RP_FRENCH(english, french) {english, french},
#include "config/french.def"
#undef RP_FRENCH
};

const char *rp_config_french(const char *english) {
    for (size_t i = 0; i < RP_COUNT_OF(texts); i++) {
        if (strcmp(texts[i].english, english) == 0) {
            return texts[i].french;
        }
    }
    return english;
}

const char *rp_config_say(const struct reading *in, const char *english) {
    return in->lang == RP_FR ? rp_config_french(english) : english;
}
