/* judge.h — does this name pose as one of ours? Pure: the same name is judged the same anywhere.
 *
 * What is compared is what a registrar sold ("moncoffre.fr"): its label by how it looks, by one
 * slip of a finger, with a hyphen, a word or another suffix; and whatever stands in front of
 * somebody else's name. Ours are the watched names and all below them; what the operator knows to
 * be honest is let pass, with all below it. Names that only share a word with ours are let pass: a
 * watch that cries wolf is switched off. So the shorter our name, the less of this is tried (see
 * judge.c).
 *
 * Owner: the caller; a list is about 2 KiB a name.
 * Promises: S176.
 */
#ifndef RP_LOOKALIKE_JUDGE_H
#define RP_LOOKALIKE_JUDGE_H

#include "base/arena.h"
#include "lookalike/domain.h"
#include "lookalike/skeleton.h"

enum rp_lookalike_kind {
    RP_LOOKALIKE_NONE,
#define RP_LOOKALIKE(name, id, fr, en) RP_LOOKALIKE_##name,
#include "lookalike/kinds.def"
#undef RP_LOOKALIKE
    RP_LOOKALIKE_COUNT
};

/* One of ours: of app.moncoffre.fr what was sold, moncoffre.fr, and its first label, moncoffre. */
struct rp_watched_name {
    char text[RP_DOMAIN_MAX + 1];
    struct rp_points label, skeleton;
};
struct rp_watched {
    struct rp_watched_name *names;
    size_t count, max;
    struct rp_domain *honest;
    size_t honest_count, honest_max;
};

/* Room for so many. TOO_LARGE. */
rp_err rp_watched_new(struct rp_arena *arena, size_t names_max, size_t honest_max,
                      struct rp_watched *ret_watched);
/* One of ours; the same one twice counts once. Names that cannot be bought (localhost, an address,
 * a bare suffix) are passed over unless they are named on purpose. INVALID: a name asked for on
 * purpose that is none. */
rp_err rp_watched_add(struct rp_watched *watched, rp_view name, bool on_purpose);
rp_err rp_watched_add_honest(struct rp_watched *watched, rp_view name);

struct rp_lookalike {
    enum rp_lookalike_kind kind; /* NONE: it does not */
    const char *own;             /* the name of ours that it poses as */
    rp_view part; /* of the seen name: what was sold, or what stands in front with it */
};
struct rp_lookalike rp_lookalike_judge(const struct rp_watched *watched,
                                       const struct rp_domain *seen);

const char *rp_lookalike_name(enum rp_lookalike_kind kind);
const char *rp_lookalike_reason(enum rp_lookalike_kind kind, enum rp_lang lang);

#endif
