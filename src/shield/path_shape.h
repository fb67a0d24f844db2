/* path_shape.h — what many addresses have in common: "/orders/17/lines" and "/orders/18/lines" are
 * "/orders/ * /lines" (without the blanks).
 *
 * A segment that names one thing among many (a number, a UUID, a long run of hexadecimal digits, or
 * anything but plain bytes) becomes "*", which later stands for exactly one segment that is not
 * empty. So a shape holds no stranger's bytes beyond plain ones, and exclusions and models speak
 * about places, not about visits. Pure.
 */
#ifndef RP_SHIELD_PATH_SHAPE_H
#define RP_SHIELD_PATH_SHAPE_H

#include "base/err.h"

enum { RP_PATH_SHAPE_MAX = 128 };

/* path: decoded, without its query. False when it does not begin with '/', or is longer than a
 * shape may be: what is not wholly known is not told. */
bool rp_path_shape(rp_view path, uint8_t out[static RP_PATH_SHAPE_MAX], size_t *ret_len);
bool rp_path_shape_fits(rp_view shape, rp_view path);
/* Begins with '/', plain bytes and "*" as whole segments. */
bool rp_path_shape_is_good(rp_view shape);

#endif
