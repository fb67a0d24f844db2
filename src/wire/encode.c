#include "wire/encode.h"

#include "base/assert.h"

/* RFC 4648: an alphabet of 2^bits letters, the bytes' bits cut from the left. */
struct alphabet {
    const char *letters;
    unsigned bits;
    bool padded; /* with '=' to a multiple of four letters */
};

static const struct alphabet base64 = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, true};
static const struct alphabet base64url = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, false};
static const struct alphabet base32 = {"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, false};

/* Letters for n bytes, without padding; 15 bytes are whole letters in both alphabets. */
static size_t letters_for(const struct alphabet *a, size_t n) {
    return n / 15 * (120 / a->bits) + (n % 15 * 8 + a->bits - 1) / a->bits;
}

static void print(struct rp_buf *out, rp_view bytes, const struct alphabet *a) {
    size_t letters = letters_for(a, bytes.n);
    size_t padding = a->padded ? (4 - letters % 4) % 4 : 0;
    uint8_t *to = rp_buf_extend(out, letters + padding);
    if (!to) {
        return;
    }
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        pending = pending << 8 | bytes.p[i];
        pending_bits += 8;
        while (pending_bits >= a->bits) {
            pending_bits -= a->bits;
            *to++ = (uint8_t)a->letters[pending >> pending_bits & ((1u << a->bits) - 1)];
        }
    }
    if (pending_bits > 0) {
        *to++ = (uint8_t)a->letters[pending << (a->bits - pending_bits) & ((1u << a->bits) - 1)];
    }
    memset(to, '=', padding);
    RP_ASSERT(to + padding == out->p + out->n);
}

/* The letter's value, or -1. */
static int value_of(const struct alphabet *a, uint8_t letter) {
    if (letter >= 'A' && letter <= 'Z') {
        return letter - 'A';
    }
    if (a->bits == 5) {
        return letter >= '2' && letter <= '7' ? letter - '2' + 26 : -1;
    }
    if (letter >= 'a' && letter <= 'z') {
        return letter - 'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
        return letter - '0' + 52;
    }
    if (letter == (uint8_t)a->letters[62]) {
        return 62;
    }
    return letter == (uint8_t)a->letters[63] ? 63 : -1;
}

/* Takes off the padding; INVALID unless exactly what belongs there is there. */
static rp_err unpad(const struct alphabet *a, rp_view *text) {
    if (!a->padded) {
        return RP_OK;
    }
    if (text->n % 4 != 0) {
        return RP_ERR(INVALID);
    }
    for (int i = 0; i < 2 && text->n > 0 && text->p[text->n - 1] == '='; i++) {
        text->n--;
    }
    return RP_OK;
}

/* Bytes in so many letters; INVALID where no number of bytes has that many. */
static rp_err size_of(const struct alphabet *a, size_t letters, size_t *ret_n) {
    size_t n = letters / 40 * (5 * a->bits) + letters % 40 * a->bits / 8;
    if (letters_for(a, n) != letters) {
        return RP_ERR(INVALID);
    }
    *ret_n = n;
    return RP_OK;
}

static rp_err decode(const struct alphabet *a, rp_view text, uint8_t *to) {
    uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(a, text.p[i]);
        if (value < 0) {
            return RP_ERR(INVALID);
        }
        pending = pending << a->bits | (uint32_t)value;
        pending_bits += a->bits;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            *to++ = (uint8_t)(pending >> pending_bits);
        }
    }
    /* Bits that belong to no byte are zero, or two texts would mean the same. */
    return (pending & ((1u << pending_bits) - 1)) == 0 ? RP_OK : RP_ERR(INVALID);
}

static rp_err parse(rp_view text, struct rp_buf *out, const struct alphabet *a) {
    size_t n = 0;
    RP_TRY(unpad(a, &text));
    RP_TRY(size_of(a, text.n, &n));
    uint8_t *to = rp_buf_extend(out, n);
    if (!to && n > 0) {
        return RP_ERR(TOO_LARGE);
    }
    rp_err err = decode(a, text, to);
    if (!rp_ok(err)) {
        out->n -= n;
    }
    return err;
}

static rp_err parse_into(rp_view text, struct rp_arena *arena, const struct alphabet *a,
                         rp_view *ret_bytes) {
    size_t n = 0;
    RP_TRY(unpad(a, &text));
    RP_TRY(size_of(a, text.n, &n));
    uint8_t *to = rp_arena_alloc(arena, n);
    if (!to) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(decode(a, text, to));
    *ret_bytes = rp_view_of(to, n);
    return RP_OK;
}

void rp_base64_print(struct rp_buf *out, rp_view bytes) {
    print(out, bytes, &base64);
}

rp_err rp_base64_parse(rp_view text, struct rp_buf *out) {
    return parse(text, out, &base64);
}

void rp_base64url_print(struct rp_buf *out, rp_view bytes) {
    print(out, bytes, &base64url);
}

rp_err rp_base64url_parse(rp_view text, struct rp_buf *out) {
    return parse(text, out, &base64url);
}

void rp_base32_print(struct rp_buf *out, rp_view bytes) {
    print(out, bytes, &base32);
}

rp_err rp_base32_parse(rp_view text, struct rp_buf *out) {
    return parse(text, out, &base32);
}

rp_err rp_base64_decode(rp_view text, struct rp_arena *arena, rp_view *ret_bytes) {
    return parse_into(text, arena, &base64, ret_bytes);
}

rp_err rp_base64url_decode(rp_view text, struct rp_arena *arena, rp_view *ret_bytes) {
    return parse_into(text, arena, &base64url, ret_bytes);
}
