/* both.h — the same rules and the same request, judged by us and by libmodsecurity through its C
 * API, and what each of them logged.
 *
 * libmodsecurity tells a match as one line of text; rule, message and data are read out of it.
 */
#ifndef RP_TESTS_SHIELD_BOTH_H
#define RP_TESTS_SHIELD_BOTH_H

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>

#include "base/buf.h"
#include "shield/shield.h"
#include "unit.h"
#include "waf.h"

enum { BOTH_LINES_MAX = 512 };

struct both {
    struct rp_arena *arena, *tx_arena;
    struct rp_buf image;
    struct rp_waf *waf;
    struct rp_waf_kept *kept; /* of all requests */
    ModSecurity *original;
    RulesSet *rules;
};

struct both_line {
    uint64_t id;
    rp_view message, data;
};
struct both_log {
    struct both_line lines[BOTH_LINES_MAX];
    size_t count;
    struct rp_arena *arena;
    unsigned status; /* of an intervention; 0 = none */
};

/* Rule text; what it includes is read from the disk. Fails the test when either refuses it. */
struct both both_open(const char *rules);
void both_close(struct both *both);

/* response may be NULL: an empty 200. The logs live until the next call. */
void both_judge(struct both *both, const struct waf_message *request,
                const struct waf_message *response, struct both_log *ret_ours,
                struct both_log *ret_theirs);
/* One of them alone. */
void both_judge_ours(struct both *both, const struct waf_message *request,
                     const struct waf_message *response, struct both_log *ret_log);

/* One row of a table: rules, a raw request and answer (or NULL), and what we log of them:
 * "id(message|data)" and so on, an intervention's status at the end. */
struct both_row {
    const char *rules, *request, *response;
    const char *logged;
    const char *why; /* libmodsecurity says something else; NULL = the same */
};
/* False, and both logs on stderr, when either is not so. */
bool both_row_holds(const struct both_row *row);

#endif
