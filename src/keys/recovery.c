#include "keys/recovery.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "wire/encode.h"

enum { CHECK_LETTERS = 4, CODE_LETTERS = 32, LETTERS = CODE_LETTERS + CHECK_LETTERS, GROUP = 4 };

_Static_assert(CODE_LETTERS * 5 == RP_RECOVERY_CODE * 8, "no stray bits");

/* Code and check as letters, without dashes. */
static rp_err letters_of(const uint8_t code[static RP_RECOVERY_CODE], struct rp_buf *out) {
    struct rp_sha256 hash = rp_sha256_of(rp_view_of(code, RP_RECOVERY_CODE));
    rp_base32_print(out, rp_view_of(code, RP_RECOVERY_CODE));
    rp_base32_print(out, rp_view_of(hash.b, sizeof hash.b));
    RP_TRY(rp_buf_err(out));
    RP_ASSERT(out->n > LETTERS);
    out->n = LETTERS;
    return RP_OK;
}

static void wipe_buf(struct rp_buf *buf) {
    rp_wipe(buf->p, buf->capacity);
    rp_buf_done(buf);
}

rp_err rp_recovery_print(const uint8_t code[static RP_RECOVERY_CODE], struct rp_buf *out) {
    _cleanup_(wipe_buf) struct rp_buf letters = rp_buf_new(128);
    RP_TRY(letters_of(code, &letters));
    for (size_t i = 0; i < LETTERS; i += GROUP) {
        if (i > 0) {
            rp_buf_add_byte(out, '-');
        }
        rp_buf_add(out, rp_view_sub(rp_buf_view(&letters), i, GROUP));
    }
    return rp_buf_err(out);
}

/* The base32 letter that was meant, 0 for one to skip, -1 for one that nobody means. */
static int letter_meant(uint8_t c) {
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 'A';
    }
    if ((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')) {
        return c;
    }
    switch (c) {
    case '0':
        return 'O';
    case '1':
        return 'I';
    case '8':
        return 'B';
    case '-':
    case ' ':
        return 0;
    default:
        return -1;
    }
}

bool rp_recovery_letters(rp_view text, uint8_t *letters, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int letter = letter_meant(text.p[i]);
        if (letter < 0 || (letter > 0 && n == count)) {
            return false;
        }
        if (letter > 0) {
            letters[n++] = (uint8_t)letter;
        }
    }
    return n == count;
}

rp_err rp_recovery_parse(rp_view text, uint8_t ret_code[static RP_RECOVERY_CODE]) {
    uint8_t letters[LETTERS] = {0};
    if (!rp_recovery_letters(text, letters, LETTERS)) {
        rp_wipe(letters, sizeof letters);
        return RP_ERR(INVALID);
    }
    _cleanup_(wipe_buf) struct rp_buf code = rp_buf_new(64);
    _cleanup_(wipe_buf) struct rp_buf expected = rp_buf_new(128);
    rp_err err = rp_base32_parse(rp_view_of(letters, CODE_LETTERS), &code);
    if (rp_ok(err) && code.n == RP_RECOVERY_CODE) {
        err = letters_of(code.p, &expected);
    }
    bool good = rp_ok(err) && rp_ct_equal(rp_buf_view(&expected), rp_view_of(letters, LETTERS));
    rp_wipe(letters, sizeof letters);
    if (!good) {
        return RP_ERR(INVALID);
    }
    memcpy(ret_code, code.p, RP_RECOVERY_CODE);
    return RP_OK;
}
