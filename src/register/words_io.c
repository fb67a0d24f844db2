#include "register/words.h"

#include "base/assert.h"
#include "base/checked.h"
#include "register/internal.h"
#include "register/tidy.h"

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

/* FTS5: each word in quotes with a star. */
static size_t ask_fts5(const struct rp_query *query, struct rp_buf *out) {
    rp_view rest = rp_view_trim(query->text);
    size_t words = 0;
    if (query->reg) {
        rp_buf_printf(out, "register: \"%s\"", query->reg->id);
    }
    while (rest.p) {
        rp_view word = rp_view_cut(&rest, ' ');
        if (word.n > 0 && rp_view_find_byte(word, '"') == word.n &&
            rp_view_find_byte(word, 0) == word.n) {
            rp_buf_add_cstr(out, rp_buf_view(out).n ? " AND body: \"" : "body: \"");
            rp_buf_add(out, word);
            rp_buf_add_cstr(out, "\" *");
            words++;
        }
    }
    return words;
}

/* PostgreSQL: as it stands; words_asked() in the schema leaves letters and digits of it. */
static size_t ask_plainly(const struct rp_query *query, struct rp_buf *out) {
    rp_view text = rp_view_trim(query->text);
    rp_buf_add(out, text);
    return text.n > 0 && rp_view_find_byte(text, 0) == text.n ? 1 : 0;
}

rp_err rp_words_question(struct rp_db *db, const struct rp_query *query, struct rp_buf *out) {
    size_t words = is_postgresql(db) ? ask_plainly(query, out) : ask_fts5(query, out);
    RP_TRY(rp_buf_err(out));
    return words > 0 ? RP_OK : RP_ERR(INVALID);
}

/* FTS5 finds "changes" in "firewall-changes" too; the record itself says where it is. */
#define IN_REGISTER "AND (?4 IS NULL OR r.register = ?4) "
#define FROM_FTS5                                                                                  \
    "FROM register_text t JOIN register_record r ON r.row = t.rowid "                              \
    "WHERE register_text MATCH ?1 " IN_REGISTER
#define FROM_TSVECTOR                                                                              \
    "FROM register_text t JOIN register_record r ON r.row = t.rowid "                              \
    "WHERE t.words @@ words_asked(?1) " IN_REGISTER
#define NEWEST "ORDER BY t.rowid DESC LIMIT ?2 OFFSET ?3"

const char *rp_words_page_sql(const struct rp_db *db) {
    return is_postgresql(db) ? "SELECT " RP_RECORD_COLUMNS " " FROM_TSVECTOR NEWEST
                             : "SELECT " RP_RECORD_COLUMNS " " FROM_FTS5 NEWEST;
}

const char *rp_words_count_sql(const struct rp_db *db) {
    return is_postgresql(db) ? "SELECT count(*) FROM (SELECT 1 " FROM_TSVECTOR "LIMIT ?2) AS found"
                             : "SELECT count(*) FROM (SELECT 1 " FROM_FTS5 "LIMIT ?2) AS found";
}
