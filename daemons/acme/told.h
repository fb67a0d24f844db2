/* told.h — what uacme says while it works, read for two things: why it failed, and how long the
 * authority asks us to wait.
 *
 * uacme prints its own words, heads of answers and bodies of answers, so most of this text is a
 * stranger's: it is read by lines, nothing of it is kept but one reason of printable ASCII and one
 * number. Lines that carry what signs a request are never kept.
 *
 * Pure; fuzzed. Owner: the caller's struct, no allocation.
 */
#ifndef RP_ACME_TOLD_H
#define RP_ACME_TOLD_H

#include "base/view.h"

enum { TOLD_LINE_MAX = 1024, TOLD_REASON = 300, TOLD_WAIT_MAX_S = 7 * 24 * 3600 };

struct told {
    char line[TOLD_LINE_MAX]; /* what of the present line fits */
    size_t line_n;
    bool in_head;              /* between "HTTP headers:" and the empty line */
    char detail[TOLD_REASON];  /* of the last problem document */
    char type[80];             /* "rateLimited", "badNonce", … */
    char trouble[TOLD_REASON]; /* "GET … failed: Couldn't connect to server" */
    char last[TOLD_REASON];    /* the last of uacme's own words about a failure */
    int64_t wait_s;            /* the last answer's Retry-After; 0 = none */
    bool exists;               /* "Account already exists" */
};

/* More of the text; now_s is what a date in Retry-After is compared with. */
void told_feed(struct told *told, rp_view text, int64_t now_s);
/* The text has ended. */
void told_end(struct told *told, int64_t now_s);
/* The reason in one line, never empty. Points into *told or to a constant. */
const char *told_reason(const struct told *told);

#endif
