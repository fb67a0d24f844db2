/* reasons.h — reasons.def as texts. */
#ifndef RP_DAEMONS_LINK_REASONS_H
#define RP_DAEMONS_LINK_REASONS_H

#include "base/err.h"

enum link_reason {
#define RP_LINK_REASON(name, fr, en) LINK_##name,
#include "reasons.def"
#undef RP_LINK_REASON
    LINK_REASON_COUNT
};

/* In English, as the link says it. */
const char *link_why(enum link_reason reason);
/* What the link said, an error's own text included, in the reader's language; NULL when it is
 * neither. */
const char *link_why_in(rp_view said, enum rp_lang lang);

#endif
