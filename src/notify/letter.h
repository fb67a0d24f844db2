/* letter.h — a notice as a letter: its text in the reader's language, and the mail that carries it.
 *
 * Pure. Texts are those of texts.def with the values put in; a value is one line, whatever it
 * holds. The mail is RFC 5322: UTF-8 as quoted-printable (RFC 2045 6.7), subject as encoded words
 * (RFC 2047), Auto-Submitted (RFC 3834), and a Message-ID that is the same each time the same
 * notice is printed, so that a mailbox can tell a second copy.
 */
#ifndef RP_NOTIFY_LETTER_H
#define RP_NOTIFY_LETTER_H

#include "notify/outbox.h"

enum { RP_LETTER_MAX = 32 * 1024, RP_MAIL_MAX = 100 * 1024 };

struct rp_letter {
    rp_view subject, text; /* UTF-8; in the arena */
};
/* A value that the text names and the content lacks is printed as "–". TOO_LARGE. */
rp_err rp_letter_print(enum rp_notice_kind kind, enum rp_lang lang,
                       const struct rp_notice_content *content, struct rp_arena *arena,
                       struct rp_letter *ret_letter);

/* Several of one kind as one letter: a count, and the subject of each with its end. */
rp_err rp_digest_print(enum rp_notice_kind kind, enum rp_lang lang,
                       const struct rp_notice_content *contents, size_t count,
                       struct rp_arena *arena, struct rp_letter *ret_letter);

struct rp_mail {
    rp_view from, to; /* addresses: one line each, without < and > */
    rp_view name;     /* shown before the sender's address; may be empty */
    rp_id id;         /* the notice's */
    enum rp_lang lang;
    int64_t date_s;
};
/* INVALID for an address that holds a line break, <, > or nothing. */
rp_err rp_mail_print(const struct rp_mail *mail, const struct rp_letter *letter,
                     struct rp_buf *out);

/* A part of it, for its test. */
void rp_quoted_printable(struct rp_buf *out, rp_view text);

#endif
