/* people_file.h — people as another system wrote them down: a table (CSV) or JSON, taken apart.
 *
 *   columns  email, and as wanted: role (member, admin, operator), lang (fr, en), password (a hash,
 *            crypto/foreign.h), totp (base32, or an otpauth:// address)
 *   JSON     an array of objects with these members, or {"people": […]}
 *
 * Each line is judged for itself: what is wrong is said by line and column, and the rest goes on.
 * What concerns the whole file (no column email, an unknown column, broken syntax) is an error.
 * Pure; fuzzed. Views point into the text or the arena; seeds lie in the lines: the caller wipes
 * them with rp_people_wipe.
 */
#ifndef RP_IDENTITY_PEOPLE_FILE_H
#define RP_IDENTITY_PEOPLE_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"

enum { RP_PEOPLE_MAX = 5000, RP_PEOPLE_SEED_MAX = 64 };

enum rp_people_fault {
    RP_FAULT_NONE,
#define RP_FAULT(NAME, column, fr, en) RP_FAULT_##NAME,
#include "identity/people_faults.def"
#undef RP_FAULT
    RP_FAULT_COUNT
};
/* Why, in words. */
const char *rp_people_fault_text(enum rp_people_fault fault, enum rp_lang lang);

struct rp_people_line {
    unsigned number; /* where it begins in a table; in a list, which one it is */
    rp_view email;   /* as written */
    unsigned roles;
    enum rp_lang lang;
    rp_view password; /* n = 0: none */
    uint8_t seed[RP_PEOPLE_SEED_MAX];
    size_t seed_n; /* 0: none */
    enum rp_people_fault fault;
    size_t column;       /* of a table, from 1: where the fault is; 0 = the whole line */
    rp_id person;        /* by the import: who it is now; none = refused */
    bool invited;        /* they enrol by a link */
    char link_token[44]; /* of the link, where no mail carries it */
};

struct rp_people_file {
    struct rp_people_line *lines;
    size_t count;
    size_t columns[5]; /* of a table: where email, role, lang, password, totp stand; 0 = nowhere */
};

/* lang: of whoever has none of their own. SYNTAX and DUPLICATE (line and column), INVALID (a column
 * is missing or unknown), TOO_LARGE (more than RP_PEOPLE_MAX lines). */
rp_err rp_people_read_csv(rp_view text, enum rp_lang lang, struct rp_arena *arena,
                          struct rp_people_file *ret_file, struct rp_diag *diag);
rp_err rp_people_read_json(rp_view text, enum rp_lang lang, struct rp_arena *arena,
                           struct rp_people_file *ret_file, struct rp_diag *diag);
/* A line is refused after all; its column is found. */
void rp_people_refuse(const struct rp_people_file *file, struct rp_people_line *line,
                      enum rp_people_fault fault);
void rp_people_wipe(struct rp_people_file *file);

#endif
