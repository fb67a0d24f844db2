/* tls_hello.h — the first message of a TLS handshake, made and read by hand.
 *
 * A probe must be able to offer what a modern library refuses to: SSLv3, TLS 1.0, static RSA.
 * This prints one ClientHello with exactly the versions and suites asked for, and reads the
 * first answer. RFC 5246 7.4.1, RFC 8446 4.1. Nothing here encrypts.
 */
#ifndef RP_WIRE_TLS_HELLO_H
#define RP_WIRE_TLS_HELLO_H

#include "base/buf.h"

enum {
    RP_SSL30 = 0x0300,
    RP_TLS10 = 0x0301,
    RP_TLS11 = 0x0302,
    RP_TLS12 = 0x0303,
    RP_TLS13 = 0x0304
};

struct rp_tls_offer {
    const char *server_name; /* SNI; NULL = none */
    uint16_t version;        /* the only one offered */
    const uint16_t *suites;
    size_t suite_count;
    bool session_ticket; /* offer RFC 5077 tickets */
    uint8_t random[32];
};
/* Whole, as one record. At most 512 suites; a name of at most 255 bytes. */
void rp_tls_hello_print(struct rp_buf *out, const struct rp_tls_offer *offer);

enum rp_tls_answer_kind {
    RP_TLS_NEED_MORE,
    RP_TLS_ACCEPTED,
    RP_TLS_REFUSED /* alert */,
    RP_TLS_NOT_TLS
};
struct rp_tls_answer {
    enum rp_tls_answer_kind kind;
    uint16_t version; /* that the server chose */
    uint16_t suite;
    bool will_send_ticket;
    uint8_t alert;
};
/* bytes: all that the server has sent so far. A HelloRetryRequest counts as accepted: it names
 * version and suite too. will_send_ticket is known up to TLS 1.2 only; later tickets come
 * encrypted. */
struct rp_tls_answer rp_tls_answer_read(rp_view bytes);

/* Facts about a suite: does its key exchange give forward secrecy against whoever listens and
 * whoever stands between (so an anonymous one does not), and its IANA name (or NULL). */
bool rp_tls_suite_is_ephemeral(uint16_t suite);
const char *rp_tls_suite_name(uint16_t suite);
/* All suites known here, in order, for an offer. */
size_t rp_tls_suite_count(void);
uint16_t rp_tls_suite_at(size_t index);

#endif
