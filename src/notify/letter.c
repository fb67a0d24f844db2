#include "notify/letter.h"

#include <stdio.h>
#include <time.h>

#include "base/assert.h"
#include "base/checked.h"
#include "wire/encode.h"
#include "wire/http.h"

struct letter_text {
    rp_view subject, text;
};

static const struct letter_text texts[RP_NOTICE_COUNT][RP_LANG_COUNT] = {
#define RP_LETTER(KIND, LANG, subject, text)                                                       \
    [RP_NOTICE_##KIND][RP_##LANG] = {RP_VIEW_INIT(subject), RP_VIEW_INIT(text)},
#include "notify/texts.def"
#undef RP_LETTER
};

/* ---- values into texts ---- */

static rp_view value_of(const struct rp_notice_content *content, rp_view name) {
    for (size_t i = 0; i < content->value_count; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(content->values[i].name))) {
            return content->values[i].value;
        }
    }
    return RP_VIEW("–");
}

/* One line: what somebody else named must not look like a line of ours. */
static void add_value(struct rp_buf *out, rp_view value) {
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i];
        rp_buf_add_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
}

static void fill(struct rp_buf *out, rp_view text, const struct rp_notice_content *content) {
    while (text.n > 0) {
        size_t open = rp_view_find_byte(text, '{');
        rp_buf_add(out, rp_view_sub(text, 0, open));
        if (open == text.n) {
            return;
        }
        text = rp_view_from(text, open + 1);
        size_t close = rp_view_find_byte(text, '}');
        RP_ASSERT(close < text.n); /* our own text */
        add_value(out, value_of(content, rp_view_sub(text, 0, close)));
        text = rp_view_from(text, close + 1);
    }
}

static rp_err fill_copy(rp_view text, const struct rp_notice_content *content,
                        struct rp_arena *arena, rp_view *ret_text) {
    struct rp_buf out = rp_buf_new(RP_LETTER_MAX);
    fill(&out, text, content);
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_arena_copy(arena, rp_buf_view(&out), ret_text);
    }
    rp_wipe(out.p, out.n);
    rp_buf_done(&out);
    return err;
}

rp_err rp_letter_print(enum rp_notice_kind kind, enum rp_lang lang,
                       const struct rp_notice_content *content, struct rp_arena *arena,
                       struct rp_letter *ret_letter) {
    RP_ASSERT((unsigned)kind < RP_NOTICE_COUNT && (unsigned)lang < RP_LANG_COUNT);
    const struct letter_text *text = &texts[kind][lang];
    RP_ASSERT(text->text.n > 0); /* the notify test sees to it */
    RP_TRY(fill_copy(text->subject, content, arena, &ret_letter->subject));
    return fill_copy(text->text, content, arena, &ret_letter->text);
}

/* ---- several as one ---- */

static const struct letter_text digest_texts[RP_LANG_COUNT] = {
    [RP_FR] = {RP_VIEW_INIT("{count} échéances vous attendent"),
               RP_VIEW_INIT("Bonjour,\n\nCes échéances vous attendent :\n\n")},
    [RP_EN] = {RP_VIEW_INIT("{count} deadlines wait for you"),
               RP_VIEW_INIT("Hello,\n\nThese deadlines wait for you:\n\n")}};

rp_err rp_digest_print(enum rp_notice_kind kind, enum rp_lang lang,
                       const struct rp_notice_content *contents, size_t count,
                       struct rp_arena *arena, struct rp_letter *ret_letter) {
    RP_ASSERT((unsigned)kind < RP_NOTICE_COUNT && (unsigned)lang < RP_LANG_COUNT && count > 0);
    rp_view number = rp_arena_printf(arena, "%zu", count);
    const struct rp_notice_content head = {.values = {{"count", number}}, .value_count = 1};
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(RP_LETTER_MAX);
    RP_TRY(fill_copy(digest_texts[lang].subject, &head, arena, &ret_letter->subject));
    rp_buf_add(&out, digest_texts[lang].text);
    for (size_t i = 0; i < count; i++) {
        rp_buf_add_cstr(&out, "- ");
        add_value(&out, value_of(&contents[i], RP_VIEW("due")));
        rp_buf_add_cstr(&out, "  ");
        fill(&out, texts[kind][lang].subject, &contents[i]);
        rp_buf_add_byte(&out, '\n');
    }
    RP_TRY(rp_buf_err(&out));
    return rp_arena_copy(arena, rp_buf_view(&out), &ret_letter->text);
}

/* ---- the mail ---- */

enum { LINE_MAX_BYTES = 76, WORD_BYTES = 45 };

static void add_coded(struct rp_buf *out, uint8_t c) {
    rp_buf_printf(out, "=%02X", c);
}

/* Whether the byte stands for itself; a space not at a line's end. */
static bool is_plain(rp_view text, size_t at) {
    uint8_t c = text.p[at];
    bool last = at + 1 == text.n || text.p[at + 1] == '\n';
    return (c == ' ' && !last) || (c > 32 && c < 127 && c != '=');
}

/* A dot at a line's start is coded too, so that no relay has to double it. */
void rp_quoted_printable(struct rp_buf *out, rp_view text) {
    size_t column = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            rp_buf_add(out, RP_VIEW("\r\n"));
            column = 0;
            continue;
        }
        bool plain = is_plain(text, i) && !(text.p[i] == '.' && column == 0);
        size_t width = plain ? 1 : 3;
        if (column + width >= LINE_MAX_BYTES) {
            rp_buf_add(out, RP_VIEW("=\r\n"));
            column = 0;
            plain = plain && text.p[i] != '.';
            width = plain ? 1 : 3;
        }
        if (plain) {
            rp_buf_add_byte(out, text.p[i]);
        } else {
            add_coded(out, text.p[i]);
        }
        column += width;
    }
}

static bool is_ascii(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 32 || text.p[i] > 126) {
            return false;
        }
    }
    return true;
}

/* As many bytes as one word takes without cutting a character. */
static size_t word_len(rp_view text) {
    size_t n = RP_MIN(text.n, (size_t)WORD_BYTES);
    while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return n > 0 ? n : RP_MIN(text.n, (size_t)WORD_BYTES);
}

static void encoded_words(struct rp_buf *out, rp_view text) {
    if (is_ascii(text) && text.n <= 60) {
        rp_buf_add(out, text);
        return;
    }
    bool first = true;
    while (text.n > 0) {
        size_t n = word_len(text);
        rp_buf_add_cstr(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        rp_base64_print(out, rp_view_sub(text, 0, n));
        rp_buf_add_cstr(out, "?=");
        text = rp_view_from(text, n);
        first = false;
    }
}

static bool is_address(rp_view v) {
    return v.n > 2 && v.n <= 254 && is_ascii(v) && rp_view_find_byte(v, '@') < v.n &&
           rp_view_find_byte(v, '<') == v.n && rp_view_find_byte(v, '>') == v.n &&
           rp_view_find_byte(v, ' ') == v.n;
}

static void print_date(struct rp_buf *out, int64_t date_s) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)date_s;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        out->failed = true;
        return;
    }
    rp_buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday % 7],
                  tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                  tm.tm_sec);
}

static void print_heads(struct rp_buf *out, const struct rp_mail *mail, rp_view subject) {
    rp_view domain = rp_view_from(mail->from, rp_view_find_byte(mail->from, '@') + 1);
    rp_buf_add_cstr(out, "From: ");
    if (mail->name.n > 0) {
        /* Encoded even when plain: then no name needs quotes. */
        rp_buf_add_cstr(out, "=?UTF-8?B?");
        rp_base64_print(out, rp_view_sub(mail->name, 0, word_len(mail->name)));
        rp_buf_add_cstr(out, "?= ");
    }
    rp_buf_printf(out, "<%.*s>\r\nTo: <%.*s>\r\n", RP_FMT(mail->from), RP_FMT(mail->to));
    print_date(out, mail->date_s);
    rp_buf_printf(out, "Message-ID: <%s@%.*s>\r\nSubject: ", rp_id_print(mail->id).s,
                  RP_FMT(domain));
    encoded_words(out, subject);
    rp_buf_printf(out,
                  "\r\nAuto-Submitted: auto-generated\r\nContent-Language: %s\r\n"
                  "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                  mail->lang == RP_FR ? "fr" : "en");
}

rp_err rp_mail_print(const struct rp_mail *mail, const struct rp_letter *letter,
                     struct rp_buf *out) {
    RP_ASSERT(mail != NULL && letter != NULL && out != NULL);
    if (!is_address(mail->from) || !is_address(mail->to) || !rp_utf8_valid(mail->name)) {
        return RP_ERR(INVALID);
    }
    print_heads(out, mail, letter->subject);
    rp_quoted_printable(out, letter->text);
    return rp_buf_err(out);
}
