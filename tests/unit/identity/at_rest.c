#include "at_rest.h"

#include <stdio.h>

#include "unit.h"

enum { NEEDLE_MAX = 128 };

static struct rp_row *first_row(struct rp_db *db, const char *sql) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    assert_ok(rp_row_first(row));
    return row;
}

static bool holds(rp_view text, rp_view needle) {
    return rp_view_find(text, needle) < text.n;
}

bool rows_hold(struct rp_db *db, rp_view bytes) {
    char hex[2 * NEEDLE_MAX + 1];
    assert_in_range(bytes.n, 1, NEEDLE_MAX);
    for (size_t i = 0; i < bytes.n; i++) {
        snprintf(hex + 2 * i, 3, "%02X", bytes.p[i]);
    }
    rp_row_done(first_row(db, "SELECT set_config('xmlbinary', 'hex', false)"));
    struct rp_row *row =
        first_row(db, "SELECT CAST(schema_to_xml(current_schema(), false, false, '') AS text)");
    rp_view all = rp_row_text(row, 0);
    assert_true(holds(all, RP_VIEW("</outbox_state>"))); /* it is the tables that are looked at */
    bool found = holds(all, bytes) || holds(all, rp_view_from_cstr(hex));
    rp_row_done(row);
    return found;
}
