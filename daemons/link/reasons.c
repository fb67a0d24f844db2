#include "reasons.h"

#include "base/assert.h"
#include "base/checked.h"

static const char *const texts[LINK_REASON_COUNT][RP_LANG_COUNT] = {
#define RP_LINK_REASON(name, fr, en) [LINK_##name] = {[RP_FR] = (fr), [RP_EN] = (en)},
#include "reasons.def"
#undef RP_LINK_REASON
};

const char *link_why(enum link_reason reason) {
    RP_ASSERT(reason < LINK_REASON_COUNT);
    return texts[reason][RP_EN];
}

const char *link_why_in(rp_view said, enum rp_lang lang) {
    for (size_t i = 0; i < LINK_REASON_COUNT; i++) {
        if (rp_view_equal(said, rp_view_from_cstr(texts[i][RP_EN]))) {
            return texts[i][lang];
        }
    }
    for (int32_t code = 0; code < RP_E_COUNT; code++) {
        if (rp_view_equal(said, rp_view_from_cstr(rp_err_text((rp_err){code}, RP_EN)))) {
            return rp_err_text((rp_err){code}, lang);
        }
    }
    return NULL;
}
