/* promise.h — THE PRODUCT: promises are files, their status is computed, never typed.
 *
 * A promise has sentences and parts; a part names a probe, a grade, a period and a validity. The
 * probes of this program stand in probes.def; a part whose probe is not there is "not built". The
 * weakest part decides. Pure but for load_io.c.
 */
#ifndef RP_PROMISE_PROMISE_H
#define RP_PROMISE_PROMISE_H

#include "base/arena.h"
#include "promise/finding.h"

enum rp_status { /* weakest first: the smallest of the parts is the promise's */
                 RP_STATUS_FAILING,
                 RP_STATUS_STALE,
                 RP_STATUS_NOT_BUILT,
                 RP_STATUS_NOT_MET,
                 RP_STATUS_DECLARED,
                 RP_STATUS_PROVEN,
                 RP_STATUS_NOT_APPLICABLE, /* does not weaken the others */
                 RP_STATUS_COUNT
};
const char *rp_status_name(enum rp_status status); /* "not-built" */
const char *rp_status_text(enum rp_status status, enum rp_lang lang);

struct rp_text {
    const char *s[RP_LANG_COUNT];
};

struct rp_sentence {
    unsigned number; /* 73 for S73 */
    struct rp_text text;
};

struct rp_part {
    const char *id, *probe;
    char grade; /* 'A'…'E' */
    int64_t period_ms, validity_ms;
    struct rp_text shows;
    int probe_index; /* in probes.def, -1 = not built */
};

struct rp_promise {
    const char *id, *section;
    struct rp_sentence *sentences;
    size_t sentence_count;
    struct rp_part *parts;
    size_t part_count;
    struct rp_text enforced_by, not_met; /* not_met.s[0] NULL = none */
    uint8_t file_sha256[32];
};

struct rp_section {
    const char *id;
    struct rp_text title;
};

struct rp_promises {
    struct rp_section *sections;
    size_t section_count;
    struct rp_promise *promises; /* in page order */
    size_t count;
    size_t sentence_count;
};

/* Every *.yaml of the folder, checked: each sentence once, ids unique, both languages. Errors name
 * file, line and column. */
rp_err rp_promises_load(const char *folder, struct rp_arena *arena,
                        struct rp_promises *ret_promises, struct rp_diag *diag);

enum rp_probe_role { RP_PROBE_OUTSIDE /* the probe role */, RP_PROBE_FILES /* the hunt role */ };
struct rp_probe_info {
    const char *name;
    enum rp_probe_role role;
};
extern const struct rp_probe_info rp_probes[];
extern const size_t rp_probe_count;

/* What a probe saw last; observed_ms 0 = never. */
enum rp_verdict {
    RP_VERDICT_NONE,
    RP_VERDICT_HOLDS,
    RP_VERDICT_BROKEN,
    RP_VERDICT_NOT_MET,
    RP_VERDICT_UNSURE
};
struct rp_observation {
    enum rp_verdict verdict;
    int64_t observed_ms, received_ms;
    uint64_t runs, failures;
    uint64_t leaf; /* index in the public tree of the last leaf about it */
    bool has_leaf;
    char detail[RP_LANG_COUNT][RP_FINDING_MAX]; /* the same sentence in each language */
};

enum rp_status rp_part_status(const struct rp_part *part, const struct rp_observation *seen,
                              int64_t now_ms);
enum rp_status rp_promise_status(const enum rp_status *parts, size_t n);

#endif
