#include "wire/tls_hello.h"

#include "base/assert.h"
#include "base/checked.h"

enum { ALERT = 21, HANDSHAKE = 22 };         /* record types, RFC 8446 5.1 */
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 }; /* handshake types, 4 */
enum { SUITES_MAX = 512, NAME_MAX = 255 };
enum {
    SERVER_NAME = 0,
    SUPPORTED_GROUPS = 10,
    EC_POINT_FORMATS = 11,
    SIGNATURE_ALGORITHMS = 13,
    SESSION_TICKET = 35,
    SUPPORTED_VERSIONS = 43,
    KEY_SHARE = 51
};
enum { X25519 = 29, SECP256R1 = 23, SECP384R1 = 24, SECP521R1 = 25 };

/* ---- printing: RFC 8446 4.1.2, RFC 5246 7.4.1.2 ---- */

static void u16(struct rp_buf *out, size_t value) {
    RP_ASSERT(value <= UINT16_MAX);
    rp_buf_add_byte(out, (uint8_t)(value >> 8));
    rp_buf_add_byte(out, (uint8_t)value);
}

/* A length of `width` bytes that end() fills in once what it measures has been written. */
static size_t begin(struct rp_buf *out, size_t width) {
    static const uint8_t zeros[3] = {0};
    rp_buf_add(out, rp_view_of(zeros, width));
    return out->n;
}

static void end(struct rp_buf *out, size_t start, size_t width) {
    if (out->failed) {
        return;
    }
    size_t length = out->n - start;
    for (size_t i = 1; i <= width; i++) {
        out->p[start - i] = (uint8_t)length;
        length >>= 8;
    }
    RP_ASSERT(length == 0);
}

/* An extension whose content is one list of 16-bit numbers. */
static void list_extension(struct rp_buf *out, uint16_t type, const uint16_t *list, size_t n) {
    u16(out, type);
    size_t extension = begin(out, 2);
    u16(out, 2 * n);
    for (size_t i = 0; i < n; i++) {
        u16(out, list[i]);
    }
    end(out, extension, 2);
}

/* RFC 6066 3. */
static void server_name(struct rp_buf *out, const char *name) {
    rp_view host = rp_view_from_cstr(name);
    RP_ASSERT(host.n <= NAME_MAX);
    u16(out, SERVER_NAME);
    size_t extension = begin(out, 2);
    size_t list = begin(out, 2);
    rp_buf_add_byte(out, 0); /* host_name */
    u16(out, host.n);
    rp_buf_add(out, host);
    end(out, list, 2);
    end(out, extension, 2);
}

/* RFC 8446 4.2.1 and 4.2.8. Any 32 bytes are a public key of X25519, and the handshake ends before
 * a secret would be computed; other bytes than random's, so that the two are not seen to be equal.
 */
static void only_tls13(struct rp_buf *out, const uint8_t random[static 32]) {
    static const uint8_t versions[] = {0, SUPPORTED_VERSIONS, 0, 3, 2, 0x03, 0x04};
    static const uint8_t share[] = {0, KEY_SHARE, 0, 38, 0, 36, 0, X25519, 0, 32};
    rp_buf_add(out, rp_view_of(versions, sizeof versions));
    rp_buf_add(out, rp_view_of(share, sizeof share));
    for (size_t i = 0; i < 32; i++) {
        rp_buf_add_byte(out, random[i] ^ 0x5A);
    }
}

static void extensions(struct rp_buf *out, const struct rp_tls_offer *offer) {
    static const uint16_t groups[] = {X25519, SECP256R1, SECP384R1, SECP521R1};
    /* ecdsa, rsa_pss_rsae, rsa_pss_pss, ed25519, ed448, rsa_pkcs1, then the SHA-1 ones: a probe
     * wants to hear about version and suite, not to be refused for a signature. */
    static const uint16_t signatures[] = {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806,
                                          0x0809, 0x080A, 0x080B, 0x0807, 0x0808, 0x0401,
                                          0x0501, 0x0601, 0x0203, 0x0201, 0x0202};
    static const uint8_t uncompressed[] = {0, EC_POINT_FORMATS, 0, 2, 1, 0};
    static const uint8_t empty_ticket[] = {0, SESSION_TICKET, 0, 0};
    size_t all = begin(out, 2);
    if (offer->server_name) {
        server_name(out, offer->server_name);
    }
    list_extension(out, SUPPORTED_GROUPS, groups, RP_COUNT_OF(groups));
    rp_buf_add(out, rp_view_of(uncompressed, sizeof uncompressed));
    if (offer->version >= RP_TLS12) {
        list_extension(out, SIGNATURE_ALGORITHMS, signatures, RP_COUNT_OF(signatures));
    }
    if (offer->session_ticket) {
        rp_buf_add(out, rp_view_of(empty_ticket, sizeof empty_ticket));
    }
    if (offer->version == RP_TLS13) {
        only_tls13(out, offer->random);
    }
    end(out, all, 2);
}

static void client_hello(struct rp_buf *out, const struct rp_tls_offer *offer) {
    u16(out, RP_MIN(offer->version, RP_TLS12)); /* 1.3 hides behind its extension */
    rp_buf_add(out, rp_view_of(offer->random, sizeof offer->random));
    rp_buf_add_byte(out, 0); /* no session to resume */
    size_t suites = begin(out, 2);
    for (size_t i = 0; i < offer->suite_count; i++) {
        u16(out, offer->suites[i]);
    }
    end(out, suites, 2);
    rp_buf_add_byte(out, 1); /* one compression method: */
    rp_buf_add_byte(out, 0); /* none */
    if (offer->version > RP_SSL30) {
        extensions(out, offer);
    }
}

void rp_tls_hello_print(struct rp_buf *out, const struct rp_tls_offer *offer) {
    RP_ASSERT(offer->version >= RP_SSL30 && offer->version <= RP_TLS13);
    RP_ASSERT(offer->suite_count > 0 && offer->suite_count <= SUITES_MAX);
    rp_buf_add_byte(out, HANDSHAKE);
    u16(out, RP_MIN(offer->version, RP_TLS10)); /* what old servers want to see outside */
    size_t record = begin(out, 2);
    rp_buf_add_byte(out, CLIENT_HELLO);
    size_t message = begin(out, 3);
    client_hello(out, offer);
    end(out, message, 3);
    end(out, record, 2);
}

/* ---- reading the answer ---- */

/* Each take_… moves v on and is false when it is too short. */
static bool take(rp_view *v, size_t n, rp_view *ret_part) {
    if (n > v->n) {
        return false;
    }
    *ret_part = rp_view_sub(*v, 0, n);
    *v = rp_view_from(*v, n);
    return true;
}

static bool take_number(rp_view *v, size_t width, size_t *ret_number) {
    rp_view bytes;
    if (!take(v, width, &bytes)) {
        return false;
    }
    size_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | bytes.p[i];
    }
    *ret_number = number;
    return true;
}

/* A part with its length before it. */
static bool take_vector(rp_view *v, size_t width, rp_view *ret_part) {
    size_t n;
    return take_number(v, width, &n) && take(v, n, ret_part);
}

static bool read_extension(size_t type, rp_view content, struct rp_tls_answer *answer) {
    if (type == SESSION_TICKET) {
        answer->will_send_ticket = true;
    }
    if (type != SUPPORTED_VERSIONS) {
        return true;
    }
    size_t version;
    if (!take_number(&content, 2, &version) || content.n > 0) {
        return false;
    }
    answer->version = (uint16_t)version;
    return true;
}

static bool read_extensions(rp_view v, struct rp_tls_answer *answer) {
    while (v.n > 0) {
        size_t type;
        rp_view content;
        if (!take_number(&v, 2, &type) || !take_vector(&v, 2, &content) ||
            !read_extension(type, content, answer)) {
            return false;
        }
    }
    return true;
}

/* RFC 8446 4.1.3: version, random, session id, suite, compression, extensions or nothing. */
static bool read_server_hello(rp_view v, struct rp_tls_answer *answer) {
    size_t version;
    size_t suite;
    size_t compression;
    rp_view skipped;
    rp_view all = {NULL, 0};
    if (!take_number(&v, 2, &version) || !take(&v, 32, &skipped) || !take_vector(&v, 1, &skipped) ||
        !take_number(&v, 2, &suite) || !take_number(&v, 1, &compression)) {
        return false;
    }
    if (v.n > 0 && (!take_vector(&v, 2, &all) || v.n > 0)) {
        return false;
    }
    answer->version = (uint16_t)version;
    answer->suite = (uint16_t)suite;
    return read_extensions(all, answer);
}

/* The first handshake message, gathered over records: no ServerHello comes near this size. */
struct gathered {
    uint8_t bytes[2048];
    size_t n;
};

static struct rp_tls_answer answer_of(enum rp_tls_answer_kind kind) {
    return (struct rp_tls_answer){.kind = kind};
}

static struct rp_tls_answer read_handshake(const struct gathered *g) {
    rp_view v = rp_view_of(g->bytes, g->n);
    size_t type;
    size_t length;
    if (!take_number(&v, 1, &type)) {
        return answer_of(RP_TLS_NEED_MORE);
    }
    if (type != SERVER_HELLO) {
        return answer_of(RP_TLS_NOT_TLS);
    }
    if (!take_number(&v, 3, &length)) {
        return answer_of(RP_TLS_NEED_MORE);
    }
    if (length > sizeof g->bytes - 4) {
        return answer_of(RP_TLS_NOT_TLS);
    }
    rp_view message;
    if (!take(&v, length, &message)) {
        return answer_of(RP_TLS_NEED_MORE);
    }
    struct rp_tls_answer answer = answer_of(RP_TLS_ACCEPTED);
    return read_server_hello(message, &answer) ? answer : answer_of(RP_TLS_NOT_TLS);
}

/* Level 1 is a warning ("I do not know that name"), and the hello follows; close_notify ends. */
static struct rp_tls_answer read_alert(rp_view content) {
    if (content.n != 2) {
        return answer_of(RP_TLS_NOT_TLS);
    }
    bool warning = content.p[0] == 1 && content.p[1] != 0;
    struct rp_tls_answer answer = answer_of(warning ? RP_TLS_NEED_MORE : RP_TLS_REFUSED);
    answer.alert = content.p[1];
    return answer;
}

static struct rp_tls_answer read_record(size_t type, rp_view content, struct gathered *g) {
    if (type == ALERT) {
        return read_alert(content);
    }
    if (type != HANDSHAKE || content.n == 0) {
        return answer_of(RP_TLS_NOT_TLS);
    }
    /* Other messages may share the record; only the first is of interest. */
    rp_view part = rp_view_sub(content, 0, sizeof g->bytes - g->n);
    if (part.n > 0) {
        memcpy(g->bytes + g->n, part.p, part.n);
    }
    g->n += part.n;
    return read_handshake(g);
}

struct rp_tls_answer rp_tls_answer_read(rp_view bytes) {
    enum { RECORD_MAX = 16384 };
    struct gathered gathered = {.n = 0};
    struct rp_tls_answer answer = answer_of(RP_TLS_NEED_MORE);
    while (bytes.n > 0 && answer.kind == RP_TLS_NEED_MORE) {
        size_t type;
        size_t version;
        size_t length;
        rp_view content;
        /* The first bytes already tell TLS from something else, which may never send more. */
        if (bytes.p[0] != ALERT && bytes.p[0] != HANDSHAKE) {
            return answer_of(RP_TLS_NOT_TLS);
        }
        if (!take_number(&bytes, 1, &type) || !take_number(&bytes, 2, &version)) {
            return answer_of(RP_TLS_NEED_MORE);
        }
        if (version >> 8 != 3) {
            return answer_of(RP_TLS_NOT_TLS);
        }
        if (!take_number(&bytes, 2, &length)) {
            return answer_of(RP_TLS_NEED_MORE);
        }
        if (length > RECORD_MAX) {
            return answer_of(RP_TLS_NOT_TLS);
        }
        if (!take(&bytes, length, &content)) {
            return answer_of(RP_TLS_NEED_MORE);
        }
        answer = read_record(type, content, &gathered);
    }
    return answer;
}

/* ---- suites ---- */

static const struct suite {
    uint16_t number;
    const char *name;
} suites[] = {
#define RP_SUITE(number, name) {number, name},
#include "wire/tls_suites.def"
#undef RP_SUITE
};

size_t rp_tls_suite_count(void) {
    return RP_COUNT_OF(suites);
}

uint16_t rp_tls_suite_at(size_t index) {
    RP_ASSERT(index < RP_COUNT_OF(suites));
    return suites[index].number;
}

const char *rp_tls_suite_name(uint16_t suite) {
    for (size_t i = 0; i < RP_COUNT_OF(suites); i++) {
        if (suites[i].number == suite) {
            return suites[i].name;
        }
    }
    return NULL;
}

/* IANA's names tell: TLS_<key exchange>_WITH_…, and since 1.3, where every key exchange is
 * ephemeral, only the cipher. */
bool rp_tls_suite_is_ephemeral(uint16_t suite) {
    rp_view name = rp_view_from_cstr(rp_tls_suite_name(suite));
    return suite >> 8 == 0x13 || rp_view_starts(name, RP_VIEW("TLS_DHE_")) ||
           rp_view_starts(name, RP_VIEW("TLS_ECDHE_")) ||
           rp_view_starts(name, RP_VIEW("TLS_PSK_DHE_"));
}
