/* lists.h — who may come in whatever else is said, and who may not: allow and deny lists.
 *
 * run/lists.tab holds them as the workers read them: a head with a SHA-256 of the rest; for each
 * action the networks as ranges, sorted, apart, each with the time until which it counts; then the
 * few entries that ask for a path, a method or a header. Core builds it from its database and puts
 * it in place whole; a worker checks all of it once, when it maps it, and then believes it.
 *
 * An allow entry that matches wins over every deny entry. An entry that ran out counts no more,
 * whoever forgot to rebuild. Pure: works on mapped memory, time comes from outside.
 * Fails: INVALID, TOO_LARGE (building), CORRUPT (a table that is none). Promises: S58.
 */
#ifndef RP_SHIELD_LISTS_H
#define RP_SHIELD_LISTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/ip.h"

enum {
    RP_LIST_ENTRIES_MAX = 250000,
    RP_LIST_RULES_MAX = 256, /* entries with a path, a method or a header: read one by one */
    RP_LIST_TEXT_MAX = 200,
    RP_LIST_METHOD_MAX = 16,
    RP_LIST_TABLE_MAX = 32 << 20
};

enum rp_list_action { RP_LIST_ALLOW, RP_LIST_DENY, RP_LIST_ACTION_COUNT };

/* What an entry asks for; all that is there must match, and something is there. Empty views and
 * any_address: not asked for. */
struct rp_list_entry {
    enum rp_list_action action;
    bool any_address;
    struct rp_ip_net network;
    rp_view path;          /* the decoded path begins so */
    rp_view method;        /* is exactly this */
    rp_view header, value; /* a header of that name holds this text; case does not count */
    int64_t expires_s;     /* 0 = never */
};

/* ---- building ---- */

struct rp_lists_builder;

/* NULL when the arena is full. count: at most so many entries will be added. */
struct rp_lists_builder *rp_lists_builder_new(struct rp_arena *arena, size_t count);
/* Texts are copied. TOO_LARGE: more entries or rules than a table takes. */
rp_err rp_lists_add(struct rp_lists_builder *builder, const struct rp_list_entry *entry);
/* generation: which state of the lists this is, for whoever compares. */
rp_err rp_lists_finish(struct rp_lists_builder *builder, uint64_t generation, struct rp_buf *out);

/* INVALID, with what is wrong with it, unless a table can hold it and it asks for something. */
rp_err rp_list_entry_check(const struct rp_list_entry *entry, struct rp_diag *diag);
/* Whether it is an address or network and nothing else. */
bool rp_list_entry_is_network(const struct rp_list_entry *entry);
/* One network or address a line; what follows '#' and empty lines do not count. Calls each with
 * every network. INVALID with the line; TOO_LARGE over max networks; what each answered. */
rp_err rp_list_lines(rp_view text, size_t max, rp_err (*each)(void *ctx, const struct rp_ip_net *),
                     void *ctx, struct rp_diag *diag);

/* ---- reading ---- */

/* CORRUPT unless every byte of it is as the builder makes it. */
rp_err rp_lists_check(const void *table, size_t n);
uint64_t rp_lists_generation(const void *table);
/* Ranges and rules of an action. */
size_t rp_lists_count(const void *table, enum rp_list_action action);

struct rp_list_request {
    const struct rp_ip *address; /* NULL: none is known */
    rp_view path, method;
    /* Whether a header of that name holds the text. */
    bool (*has_header)(const void *ctx, rp_view name, rp_view text);
    const void *ctx;
    int64_t now_s;
};

enum rp_list_verdict { RP_LIST_SILENT, RP_LIST_ALLOWED, RP_LIST_DENIED };

/* The table was checked. */
enum rp_list_verdict rp_lists_judge(const void *table, const struct rp_list_request *request);

#endif
