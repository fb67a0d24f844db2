#include "register/words.h"

#include "base/assert.h"
#include "base/checked.h"
#include "register/internal.h"
#include "register/tidy.h"

enum { WORDS_ASKED_MAX = 25 };

static bool is_postgresql(const struct rp_db *db) {
    return rp_db_sql(db) == RP_SQL_POSTGRESQL;
}

rp_err rp_words_put(struct rp_db *db, uint64_t row_number, rp_view register_id, rp_view text) {
    if (!is_postgresql(db)) {
        return rp_tidy_leave(db, row_number, register_id, text);
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO register_text (rowid, register, body) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (rowid) DO UPDATE SET register = ?2, body = ?3",
                       &row));
    rp_row_bind_u64(row, 1, row_number);
    rp_row_bind_text(row, 2, register_id);
    rp_row_bind_text(row, 3, text);
    return rp_row_run(row, NULL);
}

static rp_err run(struct rp_db *db, const char *sql, const uint64_t *row_number) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    if (row_number) {
        rp_row_bind_u64(row, 1, *row_number);
    }
    return rp_row_run(row, NULL);
}

rp_err rp_words_drop(struct rp_db *db, uint64_t row) {
    RP_TRY(run(db, "DELETE FROM register_text WHERE rowid = ?1", &row));
    return is_postgresql(db) ? RP_OK
                             : run(db, "DELETE FROM register_unindexed WHERE row = ?1", &row);
}

#define OF_EXAMPLE "(SELECT row FROM register_record WHERE example = 1)"

rp_err rp_words_drop_examples(struct rp_db *db) {
    RP_TRY(run(db, "DELETE FROM register_text WHERE rowid IN " OF_EXAMPLE, NULL));
    return is_postgresql(db)
               ? RP_OK
               : run(db, "DELETE FROM register_unindexed WHERE row IN " OF_EXAMPLE, NULL);
}

rp_err rp_words_settle(struct rp_db *db) {
    return is_postgresql(db) ? RP_OK : rp_tidy_for_search(db);
}

/* ---- asked ---- */

/* FTS5: each word in quotes, with a star; a quote in it is doubled. */
static void add_quoted(struct rp_buf *out, rp_view word) {
    rp_buf_add_byte(out, '"');
    for (size_t i = 0; i < word.n; i++) {
        rp_buf_add_cstr(out, word.p[i] == '"' ? "\"" : "");
        rp_buf_add_byte(out, word.p[i]);
    }
    rp_buf_add_cstr(out, "\" * ");
}

/* PostgreSQL: as it stands; words_asked() in the schema leaves letters and digits of it. */
static void add_plainly(struct rp_buf *out, rp_view word) {
    rp_buf_add(out, word);
    rp_buf_add_byte(out, ' ');
}

static rp_err ask_for(rp_view text, void (*add)(struct rp_buf *out, rp_view word),
                      struct rp_buf *out) {
    rp_view rest = rp_view_trim(text);
    size_t words = 0;
    while (rest.p && words <= WORDS_ASKED_MAX) {
        rp_view word = rp_view_cut(&rest, ' ');
        if (word.n > 0) {
            add(out, word);
            words++;
        }
    }
    RP_TRY(words > WORDS_ASKED_MAX ? RP_ERR(TOO_LARGE) : rp_buf_err(out));
    return words > 0 && rp_view_find_byte(text, 0) == text.n ? RP_OK : RP_ERR(INVALID);
}

rp_err rp_words_question(struct rp_db *db, const struct rp_query *query, struct rp_buf *out) {
    if (is_postgresql(db)) {
        return ask_for(query->text, add_plainly, out);
    }
    if (query->reg) {
        rp_buf_printf(out, "register: \"%s\" AND ", query->reg->id);
    }
    rp_buf_add_cstr(out, "body: (");
    RP_TRY(ask_for(query->text, add_quoted, out));
    rp_buf_add_byte(out, ')');
    return rp_buf_err(out);
}

/* FTS5 finds "changes" in "firewall-changes" too; the record itself says where it is. */
#define FROM_FTS5                                                                                  \
    "FROM register_text t JOIN register_record r ON r.row = t.rowid "                              \
    "WHERE register_text MATCH ?1 AND (?4 IS NULL OR r.register = ?4) "

const char *rp_words_page_sql(const struct rp_db *db) {
    return is_postgresql(db) ? "SELECT " RP_RECORD_COLUMNS
                               " FROM words_found(?4, ?1, ?2, ?3) AS t (rowid) "
                               "JOIN register_record r ON r.row = t.rowid ORDER BY t.rowid DESC"
                             : "SELECT " RP_RECORD_COLUMNS " " FROM_FTS5
                               "ORDER BY t.rowid DESC LIMIT ?2 OFFSET ?3";
}

const char *rp_words_count_sql(const struct rp_db *db) {
    return is_postgresql(db) ? "SELECT count(*) FROM words_found(?4, ?1, ?2, 0)"
                             : "SELECT count(*) FROM (SELECT 1 " FROM_FTS5 "LIMIT ?2) AS found";
}
