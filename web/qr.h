/* qr.h — a QR code as inline SVG: one path, black on white, with its quiet zone. The only door to
 * libqrencode. */
#ifndef RP_WEB_QR_H
#define RP_WEB_QR_H

#include "base/buf.h"

/* label is escaped. TOO_LARGE when the text does not fit a code. */
rp_err rp_qr_svg(rp_view text, rp_view label, struct rp_buf *out);

#endif
