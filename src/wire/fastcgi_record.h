/* fastcgi_record.h — one record of FastCGI; for the files of fastcgi.h alone.
 *
 * FastCGI Specification 1.0, section 3.3: a record is this header, then content, then padding.
 *
 *   version=1 · type · id (2) · content length (2) · padding length · reserved
 *
 * A request is BEGIN_REQUEST, PARAMS … PARAMS(empty), STDIN … STDIN(empty).
 */
#ifndef RP_WIRE_FASTCGI_RECORD_H
#define RP_WIRE_FASTCGI_RECORD_H

#include "base/err.h"

enum {
    FCGI_HEADER_LEN = 8,
    FCGI_VERSION_1 = 1,
    FCGI_RESPONDER = 1,
    FCGI_KEEP_CONN = 1,
    FCGI_CONTENT_MAX = 65528
};

enum rp_fcgi_type {
    FCGI_BEGIN_REQUEST = 1,
    FCGI_END_REQUEST = 3,
    FCGI_PARAMS = 4,
    FCGI_STDIN = 5,
    FCGI_STDOUT = 6,
    FCGI_STDERR = 7
};

struct rp_fcgi_header {
    uint8_t type;
    uint16_t id;
    size_t content;
    size_t padding;
};

/* PROTOCOL for another version. */
rp_err rp_fcgi_header_read(const uint8_t p[static FCGI_HEADER_LEN],
                           struct rp_fcgi_header *ret_header);

#endif
