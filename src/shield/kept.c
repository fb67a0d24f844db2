/* kept.c — what a transaction leaves to the next one on its seat: the values of texts that come
 * again, with all that was found out about them.
 *
 * A browser sends the same User-Agent, Accept and Accept-Language with each request, and most
 * browsers send the same names. What is known of such a text depends on its bytes and the rules
 * alone: which bytes occur, what transformations make of it, which rules may match and which were
 * asked and do not.
 *
 * A text is met again when all of its bytes are the same. Whoever measures time to a microsecond
 * can find out that one came before; therefore only headers are kept that hold no secret, and the
 * short names by which an application calls its arguments and cookies, but nothing of their
 * values, of addresses and of JSON. A seat serves one transaction at a time, so nothing here is
 * locked; its room is fixed, and when it is full all is forgotten. Names have a part of it, so that
 * who invents names takes the room of names only.
 */
#include "base/checked.h"
#include "shield/tx.h"

enum {
    VALUES_MAX = 224,
    DERIVED_MAX = 320,
    BYTES_MAX = 32 * 1024,
    TEXT_MAX = 256, /* bytes of a header */
    NAME_MAX_BYTES = 32,
    NAMES_MAX = 64
};

struct rp_waf_kept {
    uint8_t sha256[32]; /* of the image whose rules the values were looked at for */
    uint32_t n, derived_n, bytes_n, names_n;
    struct rp_waf_value values[1 + VALUES_MAX]; /* 0 is no value */
    struct rp_waf_derived derived[1 + DERIVED_MAX];
    uint32_t buckets[RP_WAF_VALUE_BUCKETS];
    _Alignas(uint64_t) uint8_t bytes[BYTES_MAX];
};

struct rp_waf_kept *rp_waf_kept_new(void) {
    return calloc(1, sizeof(struct rp_waf_kept));
}

void rp_waf_kept_free(struct rp_waf_kept *kept) {
    free(kept);
}

/* ---- what may be kept ---- */

/* Headers by which browsers say what they are and what they take. */
static const rp_view common_headers[] = {
    RP_VIEW_INIT("accept"),
    RP_VIEW_INIT("accept-encoding"),
    RP_VIEW_INIT("accept-language"),
    RP_VIEW_INIT("cache-control"),
    RP_VIEW_INIT("connection"),
    RP_VIEW_INIT("dnt"),
    RP_VIEW_INIT("host"),
    RP_VIEW_INIT("pragma"),
    RP_VIEW_INIT("priority"),
    RP_VIEW_INIT("sec-ch-ua"),
    RP_VIEW_INIT("sec-ch-ua-mobile"),
    RP_VIEW_INIT("sec-ch-ua-platform"),
    RP_VIEW_INIT("sec-fetch-dest"),
    RP_VIEW_INIT("sec-fetch-mode"),
    RP_VIEW_INIT("sec-fetch-site"),
    RP_VIEW_INIT("sec-fetch-user"),
    RP_VIEW_INIT("sec-gpc"),
    RP_VIEW_INIT("te"),
    RP_VIEW_INIT("upgrade-insecure-requests"),
    RP_VIEW_INIT("user-agent"),
    RP_VIEW_INIT("x-requested-with"),
};
/* Of these the name alone. */
static const rp_view common_names[] = {
    RP_VIEW_INIT("authorization"),     RP_VIEW_INIT("content-length"),
    RP_VIEW_INIT("content-type"),      RP_VIEW_INIT("cookie"),
    RP_VIEW_INIT("if-none-match"),     RP_VIEW_INIT("origin"),
    RP_VIEW_INIT("if-modified-since"), RP_VIEW_INIT("referer"),
};

static bool is_among(const rp_view *names, size_t count, rp_view name) {
    for (size_t i = 0; i < count; i++) {
        if (names[i].n == name.n && rp_view_equal_nocase(names[i], name)) {
            return true;
        }
    }
    return false;
}

void rp_waf_keep_header(struct rp_waf_tx *tx, rp_view name, uint32_t name_value, uint32_t value) {
    if (!tx->site.kept) {
        return;
    }
    bool common = is_among(common_headers, RP_COUNT_OF(common_headers), name);
    if (common || is_among(common_names, RP_COUNT_OF(common_names), name)) {
        rp_waf_value_keep(tx, name_value);
    }
    if (common && tx->values.p[value].bytes.n <= TEXT_MAX) {
        rp_waf_value_keep(tx, value);
    }
}

/* What all requests of a site have in common, and nobody can make more of: methods, versions, the
 * site's own address, "0" and nothing. */
static const rp_view common_texts[] = {
    RP_VIEW_INIT("GET"),      RP_VIEW_INIT("HEAD"),     RP_VIEW_INIT("POST"),
    RP_VIEW_INIT("PUT"),      RP_VIEW_INIT("PATCH"),    RP_VIEW_INIT("DELETE"),
    RP_VIEW_INIT("OPTIONS"),  RP_VIEW_INIT("HTTP/1.0"), RP_VIEW_INIT("HTTP/1.1"),
    RP_VIEW_INIT("HTTP/2.0"), RP_VIEW_INIT("HTTP/3.0"),
};

void rp_waf_keep_connection(struct rp_waf_tx *tx) {
    static const enum rp_waf_variable variables[] = {RP_VAR_SERVER_ADDR, RP_VAR_SERVER_PORT,
                                                     RP_VAR_MODSEC_BUILD, RP_VAR_URLENCODED_ERROR,
                                                     RP_VAR_REQUEST_BODY /* nothing, as yet */};
    for (size_t i = 0; tx->site.kept && i < RP_COUNT_OF(variables); i++) {
        rp_waf_value_keep(tx, tx->scalars[variables[i]].value);
    }
}

void rp_waf_keep_common(struct rp_waf_tx *tx, enum rp_waf_variable variable) {
    uint32_t value = tx->scalars[variable].value;
    for (size_t i = 0; tx->site.kept && i < RP_COUNT_OF(common_texts); i++) {
        if (rp_view_equal(common_texts[i], tx->values.p[value].bytes)) {
            rp_waf_value_keep(tx, value);
        }
    }
}

/* Without a value the name may be a value itself: /search?a+word. */
void rp_waf_keep_name(struct rp_waf_tx *tx, uint32_t name_value, rp_view value) {
    struct rp_waf_values *values = &tx->values;
    const struct rp_waf_value *name = &values->p[name_value];
    if (tx->site.kept && name_value != 0 && !name->kept && name->bytes.n <= NAME_MAX_BYTES &&
        value.n > 0 && values->kept_names_n < NAMES_MAX) {
        values->kept_names_n++;
        rp_waf_value_keep(tx, name_value);
    }
}

/* ---- at the start ---- */

static void forget(struct rp_waf_kept *kept) {
    kept->n = kept->derived_n = kept->bytes_n = kept->names_n = 0;
    memset(kept->buckets, 0, sizeof kept->buckets);
}

void rp_waf_kept_begin(struct rp_waf_tx *tx) {
    struct rp_waf_kept *kept = tx->site.kept;
    struct rp_waf_values *values = &tx->values;
    if (!kept) {
        return;
    }
    rp_view rules = rp_view_of(tx->waf->sha256, sizeof kept->sha256);
    if (!rp_view_equal(rp_view_of(kept->sha256, sizeof kept->sha256), rules)) {
        forget(kept);
        memcpy(kept->sha256, rules.p, rules.n);
    }
    if (kept->n > 0 && rp_waf_values_room(tx, kept->n, kept->derived_n)) {
        memcpy(values->p, kept->values, (kept->n + 1) * sizeof *values->p);
        memcpy(values->derived, kept->derived, (kept->derived_n + 1) * sizeof *values->derived);
        memcpy(values->buckets, kept->buckets, sizeof values->buckets);
        values->n = values->kept_n = kept->n;
        values->derived_n = kept->derived_n;
        values->kept_names_n = kept->names_n;
    }
}

/* ---- at the end ---- */

/* A copy among the kept bytes; NULL when they are full. */
static void *keep_bytes(struct rp_waf_kept *kept, const void *bytes, size_t n) {
    size_t room = (n + 7) & ~(size_t)7;
    if (room > sizeof kept->bytes - kept->bytes_n) {
        return NULL;
    }
    uint8_t *copy = kept->bytes + kept->bytes_n;
    kept->bytes_n += (uint32_t)room;
    if (n > 0) {
        memcpy(copy, bytes, n);
    }
    return copy;
}

/* The rules that may match, where the last transaction did not know them yet. What it knew is lost
 * in place as more rules are asked. */
static bool keep_answers(struct rp_waf_kept *kept, const struct rp_waf_tx *tx,
                         const struct rp_waf_value *from, struct rp_waf_value *to) {
    for (unsigned group = 0; group < RP_IMAGE_GROUPS; group++) {
        size_t bytes = rp_waf_group_words(tx, group) * sizeof *from->left[group];
        if (from->scanned[group] == rp_waf_nothing) {
            to->scanned[group] = rp_waf_nothing;
        } else if (from->scanned[group] && !to->scanned[group]) {
            to->scanned[group] = keep_bytes(kept, from->scanned[group], bytes);
        }
        if (from->left[group] && !to->left[group]) {
            to->left[group] = keep_bytes(kept, from->left[group], bytes);
        }
        if ((from->scanned[group] && !to->scanned[group]) ||
            (from->left[group] && !to->left[group])) {
            return false;
        }
    }
    return true;
}

/* Row `number` of what is kept: a new one, or one that more was found out about. */
static bool keep_value(struct rp_waf_kept *kept, const struct rp_waf_tx *tx,
                       const struct rp_waf_value *from, uint32_t number) {
    struct rp_waf_value *to = &kept->values[number];
    if (number > kept->n) {
        *to = *from;
        to->bytes.p = keep_bytes(kept, from->bytes.p, from->bytes.n);
        to->scanned[0] = to->scanned[1] = NULL;
        to->left[0] = to->left[1] = NULL;
        to->stamp = to->twin = to->derived = 0;
        to->next = kept->buckets[from->hash % RP_WAF_VALUE_BUCKETS];
        kept->buckets[from->hash % RP_WAF_VALUE_BUCKETS] = number;
        kept->n = number;
    }
    to->touched = from->touched;
    return to->bytes.p && keep_answers(kept, tx, from, to);
}

/* What transformations make of a kept value is kept with it, but for what was made of it before it
 * was one. */
static bool keep_derived(struct rp_waf_kept *kept, const struct rp_waf_tx *tx, uint32_t value) {
    const struct rp_waf_value *from = &tx->values.p[value];
    struct rp_waf_value *to = &kept->values[from->stamp];
    to->derived = 0;
    for (uint32_t i = from->derived; i != 0; i = tx->values.derived[i].next) {
        const struct rp_waf_derived *derived = &tx->values.derived[i];
        if (!tx->values.p[derived->value].kept) {
            continue;
        }
        if (kept->derived_n == DERIVED_MAX) {
            return false;
        }
        kept->derived[++kept->derived_n] = (struct rp_waf_derived){
            derived->transform, tx->values.p[derived->value].stamp, to->derived};
        to->derived = kept->derived_n;
    }
    return true;
}

/* Rows keep their numbers; a value's stamp says which it has. */
static bool keep_all(struct rp_waf_kept *kept, struct rp_waf_tx *tx) {
    struct rp_waf_values *values = &tx->values;
    uint32_t number = 0;
    for (uint32_t i = 1; i <= values->n; i++) {
        if (values->p[i].kept) {
            if (number == VALUES_MAX || !keep_value(kept, tx, &values->p[i], number + 1)) {
                return false;
            }
            values->p[i].stamp = ++number;
        }
    }
    kept->names_n = values->kept_names_n;
    kept->derived_n = 0;
    for (uint32_t i = 1; i <= values->n; i++) {
        if (values->p[i].kept && !keep_derived(kept, tx, i)) {
            return false;
        }
    }
    return true;
}

void rp_waf_kept_end(struct rp_waf_tx *tx) {
    struct rp_waf_kept *kept = tx->site.kept;
    if (!kept || !tx->values.news || !rp_ok(tx->failed)) {
        return;
    }
    bool whole = tx->values.kept_n == kept->n && keep_all(kept, tx);
    if (!whole) {
        forget(kept);
    }
}
