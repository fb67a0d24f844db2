/* words.h — the index of words, whichever database has it.
 *
 * SQLite: FTS5, filled in lots beside the writes (tidy.h says why). PostgreSQL: a tsvector a
 * record, written with the record. Both find a word without regard to case and accents by how it
 * begins; what a searcher joins by a hyphen or a dot stands in that order. The searcher's own
 * syntax never comes through.
 */
#ifndef RP_REGISTER_WORDS_H
#define RP_REGISTER_WORDS_H

#include "base/buf.h"
#include "register/desk.h"

/* Inside the transaction of a write: the record is found by this text from now on, or from the next
 * search on. */
rp_err rp_words_put(struct rp_db *db, uint64_t row, rp_view register_id, rp_view text);

/* Inside a transaction: the record is not found any more; or none of the example is. */
rp_err rp_words_drop(struct rp_db *db, uint64_t row);
rp_err rp_words_drop_examples(struct rp_db *db);

/* Outside of transactions: what was written is found. */
rp_err rp_words_settle(struct rp_db *db);

/* The question as the index takes it. INVALID when nothing is asked, or a zero byte is; TOO_LARGE
 * when more than 25 words are, or than `out` holds. What has neither letter nor digit in it counts
 * for nothing. */
rp_err rp_words_question(struct rp_db *db, const struct rp_query *query, struct rp_buf *out);

/* The statement that answers it: ?1 the question, ?2 how many, ?3 from where, ?4 the register or
 * NULL; the newest first. And the one that counts up to ?2 (?3 is not asked). */
const char *rp_words_page_sql(const struct rp_db *db);
const char *rp_words_count_sql(const struct rp_db *db);

#endif
