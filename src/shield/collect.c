/* collect.c — collections are filled; what is rarely asked for is computed when it is. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/numeric.h"
#include "shield/tx.h"

enum { ENTRIES_START = 16 };

void rp_waf_collect_entry(struct rp_waf_tx *tx, unsigned collection, struct rp_waf_entry entry) {
    struct rp_waf_collection *at = &tx->collections[collection];
    if (at->n == at->room) {
        uint32_t room = at->room ? 2 * at->room : ENTRIES_START;
        struct rp_waf_entry *p = rp_arena_array(tx->arena, room, sizeof *p);
        if (!p) {
            rp_waf_note(tx, RP_ERR(TOO_LARGE));
            return;
        }
        if (at->n > 0) {
            memcpy(p, at->p, at->n * sizeof *p);
        }
        at->p = p;
        at->room = room;
    }
    if (entry.value != 0) {
        at->p[at->n++] = entry;
        rp_waf_changed(tx, collection);
    }
}

void rp_waf_collect(struct rp_waf_tx *tx, unsigned collection, rp_view name, rp_view value) {
    struct rp_waf_entry entry = {.name = name,
                                 .value = rp_waf_value_of(tx, value),
                                 .name_id = rp_image_name(tx->image, name)};
    rp_waf_collect_entry(tx, collection, entry);
}

void rp_waf_collect_header(struct rp_waf_tx *tx, rp_view name, rp_view value) {
    uint32_t name_value = rp_waf_value_of(tx, name);
    struct rp_waf_entry entry = {.name = name,
                                 .value = rp_waf_value_of(tx, value),
                                 .name_id = rp_image_name(tx->image, name)};
    rp_waf_keep_header(tx, name, name_value, entry.value);
    rp_waf_collect_entry(tx, RP_VAR_REQUEST_HEADERS, entry);
    entry.value = name_value;
    rp_waf_collect_entry(tx, RP_VAR_REQUEST_HEADERS_NAMES, entry);
}

void rp_waf_collect_cookie(struct rp_waf_tx *tx, rp_view name, rp_view value) {
    struct rp_waf_entry entry = {.name = name,
                                 .value = rp_waf_value_of(tx, value),
                                 .name_id = rp_image_name(tx->image, name)};
    rp_waf_collect_entry(tx, RP_VAR_REQUEST_COOKIES, entry);
    entry.value = rp_waf_value_of(tx, name);
    rp_waf_keep_name(tx, entry.value, value);
    rp_waf_collect_entry(tx, RP_VAR_REQUEST_COOKIES_NAMES, entry);
}

static bool is_computed(unsigned variable) {
    return variable == RP_VAR_MATCHED_VAR || variable == RP_VAR_MATCHED_VAR_NAME ||
           variable == RP_VAR_HIGHEST_SEVERITY || variable == RP_VAR_DURATION ||
           variable == RP_VAR_FULL_REQUEST || variable == RP_VAR_FULL_REQUEST_LENGTH ||
           variable == RP_VAR_TIME || (variable >= RP_VAR_TIME_DAY && variable <= RP_VAR_TIME_YEAR);
}

/* A scalar that nobody has set is there, and empty, as in ModSecurity. */
void rp_waf_scalars_start(struct rp_waf_tx *tx) {
    uint32_t empty = rp_waf_value_of(tx, RP_VIEW(""));
    for (unsigned i = 0; i < RP_VAR_COUNT; i++) {
        bool scalar = rp_waf_variable_shape((enum rp_waf_variable)i) == RP_SHAPE_SCALAR;
        if (scalar && !is_computed(i)) {
            tx->scalars[i].value = empty;
            tx->collections[i] = (struct rp_waf_collection){&tx->scalars[i], 1, 1};
        }
    }
}

void rp_waf_scalar(struct rp_waf_tx *tx, enum rp_waf_variable variable, rp_view value) {
    uint32_t index = rp_waf_value_of(tx, value);
    if (index != 0) {
        tx->scalars[variable].value = index;
        rp_waf_changed(tx, variable);
    }
}

void rp_waf_scalar_number(struct rp_waf_tx *tx, enum rp_waf_variable variable, uint64_t number) {
    char text[RP_WAF_NUMBER_TEXT];
    rp_view copy;
    rp_err err = rp_arena_copy(tx->arena, rp_waf_number_print((int64_t)number, text), &copy);
    if (rp_ok(err)) {
        rp_waf_scalar(tx, variable, copy);
    } else {
        rp_waf_note(tx, err);
    }
}

/* ---- computed ---- */

rp_view rp_waf_seen_name(struct rp_waf_tx *tx, const struct rp_waf_seen *seen) {
    if (seen->variable == RP_COLL_XML_ATTRIBUTES) {
        return RP_VIEW("XML://@*");
    }
    if (seen->variable == RP_VAR_XML) {
        return RP_VIEW("XML:/*");
    }
    const char *variable = rp_waf_variable_name((enum rp_waf_variable)seen->variable);
    if (seen->plain) {
        return rp_view_from_cstr(variable);
    }
    size_t n = strlen(variable);
    uint8_t *p = rp_arena_alloc(tx->arena, n + 1 + seen->name.n);
    if (!p) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return (rp_view){NULL, 0};
    }
    memcpy(p, variable, n);
    p[n] = ':';
    if (seen->name.n > 0) {
        memcpy(p + n + 1, seen->name.p, seen->name.n);
    }
    return rp_view_of(p, n + 1 + seen->name.n);
}

/* The calendar in UTC: a rule that means office hours means the operator's, who sets TZ of no
 * worker. */
static rp_view time_part(struct rp_waf_tx *tx, unsigned variable) {
    int64_t now_s = tx->connection.now_ms / 1000;
    time_t seconds = (time_t)now_s;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        return (rp_view){NULL, 0};
    }
    switch (variable) {
    case RP_VAR_TIME:
        return rp_arena_printf(tx->arena, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    case RP_VAR_TIME_DAY:
        return rp_arena_printf(tx->arena, "%d", tm.tm_mday);
    case RP_VAR_TIME_HOUR:
        return rp_arena_printf(tx->arena, "%d", tm.tm_hour);
    case RP_VAR_TIME_MIN:
        return rp_arena_printf(tx->arena, "%d", tm.tm_min);
    case RP_VAR_TIME_MON:
        return rp_arena_printf(tx->arena, "%d", tm.tm_mon);
    case RP_VAR_TIME_SEC:
        return rp_arena_printf(tx->arena, "%d", tm.tm_sec);
    case RP_VAR_TIME_WDAY:
        return rp_arena_printf(tx->arena, "%d", tm.tm_wday);
    case RP_VAR_TIME_YEAR:
        return rp_arena_printf(tx->arena, "%d", 1900 + tm.tm_year);
    default:
        return rp_arena_printf(tx->arena, "%lld", (long long)now_s);
    }
}

rp_view rp_waf_computed(struct rp_waf_tx *tx, unsigned variable) {
    const struct rp_waf_seen *last = tx->seen_n > 0 ? &tx->seen[tx->seen_n - 1] : NULL;
    switch (variable) {
    case RP_VAR_MATCHED_VAR:
        return last ? last->value : (rp_view){NULL, 0};
    case RP_VAR_MATCHED_VAR_NAME:
        return last ? rp_waf_seen_name(tx, last) : (rp_view){NULL, 0};
    case RP_VAR_HIGHEST_SEVERITY:
        return rp_arena_printf(tx->arena, "%u", tx->highest_severity);
    case RP_VAR_DURATION: /* no clock in here: a transaction takes no time */
        return RP_VIEW("0");
    case RP_VAR_FULL_REQUEST:
        return rp_waf_full_request(tx);
    case RP_VAR_FULL_REQUEST_LENGTH:
        return rp_arena_printf(tx->arena, "%zu", rp_waf_full_request(tx).n);
    case RP_VAR_TIME:
    case RP_VAR_TIME_DAY:
    case RP_VAR_TIME_EPOCH:
    case RP_VAR_TIME_HOUR:
    case RP_VAR_TIME_MIN:
    case RP_VAR_TIME_MON:
    case RP_VAR_TIME_SEC:
    case RP_VAR_TIME_WDAY:
    case RP_VAR_TIME_YEAR:
        return time_part(tx, variable);
    default:
        return (rp_view){NULL, 0};
    }
}
