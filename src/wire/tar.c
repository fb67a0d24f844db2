/* ustar: POSIX.1-2017, pax, "ustar Interchange Format". Numbers are octal ASCII, the checksum
 * counts its own field as spaces. */
#include "wire/tar.h"

#include "base/assert.h"

enum {
    MODE_AT = 100,
    OWNER_AT = 108,
    GROUP_AT = 116,
    SIZE_AT = 124,
    TIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257
};
static const uint64_t size_max = 077777777777;

/* digits, and a NUL after them. */
static void put_octal(uint8_t *at, size_t digits, uint64_t value) {
    at[digits] = 0;
    for (size_t i = digits; i > 0; i--) {
        at[i - 1] = (uint8_t)('0' + (value & 7));
        value >>= 3;
    }
    RP_ASSERT(value == 0);
}

static bool is_name(rp_view name) {
    return name.n > 0 && name.p[0] != '/' && rp_view_find_byte(name, 0) == name.n &&
           rp_view_find(name, RP_VIEW("..")) == name.n;
}

rp_err rp_tar_header(rp_view name, uint64_t size, int64_t mtime_s,
                     uint8_t ret_block[static RP_TAR_BLOCK]) {
    if (!is_name(name) || mtime_s < 0) {
        return RP_ERR(INVALID);
    }
    if (name.n > RP_TAR_NAME_MAX || size > size_max || (uint64_t)mtime_s > size_max) {
        return RP_ERR(TOO_LARGE);
    }
    memset(ret_block, 0, RP_TAR_BLOCK);
    memcpy(ret_block, name.p, name.n);
    put_octal(ret_block + MODE_AT, 7, 0600);
    put_octal(ret_block + OWNER_AT, 7, 0);
    put_octal(ret_block + GROUP_AT, 7, 0);
    put_octal(ret_block + SIZE_AT, 11, size);
    put_octal(ret_block + TIME_AT, 11, (uint64_t)mtime_s);
    ret_block[TYPE_AT] = '0';
    memcpy(ret_block + MAGIC_AT, "ustar\00000", 8);
    memset(ret_block + SUM_AT, ' ', 8);
    uint64_t sum = 0;
    for (size_t i = 0; i < RP_TAR_BLOCK; i++) {
        sum += ret_block[i];
    }
    put_octal(ret_block + SUM_AT, 6, sum);
    return RP_OK;
}
