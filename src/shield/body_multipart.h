/* body_multipart.h — inside the multipart reader: a part's headers, and what they say. */
#ifndef RP_SHIELD_BODY_MULTIPART_H
#define RP_SHIELD_BODY_MULTIPART_H

#include "shield/body_parts.h"

enum { RP_MULTIPART_HEADERS_MAX = 32, RP_MULTIPART_LINE_MAX = 4096 };

struct rp_multipart_header {
    rp_view line; /* "Name: value", unfolded */
    size_t name_n;
    rp_view value;
};

/* Where a content type or a Content-Disposition goes wrong; NULL: nowhere. */
const char *rp_multipart_boundary(struct rp_body *body, rp_view content_type,
                                  rp_view *ret_boundary);

struct rp_multipart_disposition {
    rp_view name, filename, filename_extended; /* p == NULL: not given */
};
const char *rp_multipart_disposition(struct rp_body *body, rp_view value,
                                     struct rp_multipart_disposition *ret_disposition);

/* One line of a part's headers, without its end. */
const char *rp_multipart_header_line(struct rp_body *body, struct rp_multipart_header *headers,
                                     size_t *count, rp_view line);

#endif
