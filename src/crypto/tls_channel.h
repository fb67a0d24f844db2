/* tls_channel.h — one end of a connection between two machines that know each other's key.
 *
 * TLS 1.3 only, and both ends show a certificate, of which the key alone counts: its fingerprint is
 * one of those that this end was given, or the handshake fails. No authority, no names, no dates,
 * no earlier version, nothing resumed.
 *
 * Pure: what came from the network goes in, what is to go there comes out; somebody else owns the
 * socket. After an error the channel is CLOSED: it gives its last bytes (the alert that tells the
 * other why), and is freed.
 *
 * Fails: DENIED (the other's key is not one of ours), UNAUTHENTICATED (the other does not take
 * our key), PROTOCOL (not TLS 1.3, or altered on the way), CLOSED (the other has ended it well).
 */
#ifndef RP_CRYPTO_TLS_CHANNEL_H
#define RP_CRYPTO_TLS_CHANNEL_H

#include "crypto/tls_key.h"

enum rp_tls_end { RP_TLS_DIALS, RP_TLS_LISTENS };

struct rp_tls_channel;

/* `known` and the key live as long as the channel. The one that dials has bytes to give at once. */
rp_err rp_tls_channel_new(const struct rp_tls_key *key, enum rp_tls_end end,
                          const struct rp_sha256 *known, size_t known_count,
                          struct rp_tls_channel **ret_channel);
void rp_tls_channel_free(struct rp_tls_channel *channel); /* accepts NULL */

/* Bytes of the network; what they said is added to ret_said. TOO_LARGE when it does not fit. */
rp_err rp_tls_channel_take(struct rp_tls_channel *channel, rp_view bytes, struct rp_buf *ret_said);
/* Says something, once the channel is up. */
rp_err rp_tls_channel_say(struct rp_tls_channel *channel, rp_view what);
/* Adds to ret_bytes what is to go to the network. */
rp_err rp_tls_channel_give(struct rp_tls_channel *channel, struct rp_buf *ret_bytes);
/* Tells the other that nothing more comes. */
void rp_tls_channel_end(struct rp_tls_channel *channel);

/* Whether this end's handshake is done: the other is who it should be. The one that dials learns
 * only by the first thing it is told that it was taken, too. */
bool rp_tls_channel_is_up(const struct rp_tls_channel *channel);
/* Which key the other has shown, known or not; NULL before it did. */
const struct rp_sha256 *rp_tls_channel_peer(const struct rp_tls_channel *channel);

#endif
