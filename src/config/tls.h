/* tls.h — what the gate offers in TLS, said once: the generated configuration and the public page
 * about encryption are both made from it.
 */
#ifndef RP_CONFIG_TLS_H
#define RP_CONFIG_TLS_H

/*= S73, S74: TLS 1.2 and 1.3 with strong ciphers, nothing else. */
#define RP_TLS_PROTOCOLS "TLSv1.2 TLSv1.3"
/*= S78: every key exchange is ephemeral. */
#define RP_TLS_CIPHERS                                                                             \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define RP_TLS_CURVES "X25519:prime256v1:secp384r1"

#endif
