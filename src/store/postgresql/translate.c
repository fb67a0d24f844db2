/* translate.c — the program's SQL as PostgreSQL reads it. Pure. */
#include "base/assert.h"
#include "base/buf.h"
#include "store/postgresql/pg.h"

static const rp_view conflict = RP_VIEW_INIT("ON CONFLICT (");

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* A text in quotes, whole: nothing in it is ours to change. */
static size_t quoted(rp_view rest) {
    size_t n = 1;
    while (n < rest.n && rest.p[n] != rest.p[0]) {
        n++;
    }
    return n < rest.n ? n + 1 : n;
}

static rp_err place(rp_view rest, struct rp_buf *out, size_t *ret_taken,
                    struct rp_pg_places *places) {
    size_t n = 1;
    int number = 0;
    while (n < rest.n && n < 4 && is_digit(rest.p[n])) {
        number = number * 10 + (rest.p[n] - '0');
        n++;
    }
    if (number == 0 || number > RP_PG_PLACES_MAX) {
        return RP_ERR(INVALID);
    }
    places->count = number > places->count ? number : places->count;
    places->used[number - 1] = true;
    rp_buf_printf(out, "$%d", number);
    *ret_taken = n;
    return RP_OK;
}

rp_err rp_pg_translate(const char *sql, bool tenants, struct rp_buf *out,
                       struct rp_pg_places *ret_places) {
    rp_view rest = rp_view_from_cstr(sql);
    struct rp_pg_places places = {.count = 0};
    while (rest.n > 0) {
        size_t taken = 1;
        if (rest.p[0] == '?') {
            RP_TRY(place(rest, out, &taken, &places));
        } else if (rest.p[0] == '\'' || rest.p[0] == '"') {
            taken = quoted(rest);
            rp_buf_add(out, rp_view_sub(rest, 0, taken));
        } else if (tenants && rp_view_starts(rest, conflict)) {
            taken = conflict.n;
            rp_buf_add(out, conflict);
            rp_buf_add_cstr(out, "tenant, ");
        } else {
            rp_buf_add_byte(out, rest.p[0]);
        }
        rest = rp_view_from(rest, taken);
    }
    rp_buf_add_byte(out, 0);
    RP_TRY(rp_buf_err(out));
    *ret_places = places;
    return RP_OK;
}
