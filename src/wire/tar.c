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

static uint64_t sum_of(const uint8_t block[static RP_TAR_BLOCK]) {
    uint64_t sum = 8 * ' ';
    for (size_t i = 0; i < RP_TAR_BLOCK; i++) {
        sum += i >= SUM_AT && i < SUM_AT + 8 ? 0 : block[i];
    }
    return sum;
}

static void put_sum(uint8_t block[static RP_TAR_BLOCK]) {
    put_octal(block + SUM_AT, 6, sum_of(block));
    block[SUM_AT + 7] = ' ';
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
    put_sum(ret_block);
    return RP_OK;
}

void rp_tar_set_mode(uint8_t block[static RP_TAR_BLOCK], unsigned mode) {
    RP_ASSERT(mode <= 0777);
    put_octal(block + MODE_AT, 7, mode);
    put_sum(block);
}

/* Exactly `digits` octal digits and a NUL. */
static bool take_octal(const uint8_t *at, size_t digits, uint64_t *ret_value) {
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '7') {
            return false;
        }
        value = value << 3 | (uint64_t)(at[i] - '0');
    }
    *ret_value = value;
    return at[digits] == 0;
}

static bool is_empty(const uint8_t block[static RP_TAR_BLOCK]) {
    for (size_t i = 0; i < RP_TAR_BLOCK; i++) {
        if (block[i] != 0) {
            return false;
        }
    }
    return true;
}

/* What is read is written again and must be the same: there is one form of each header. */
rp_err rp_tar_parse(const uint8_t block[static RP_TAR_BLOCK], struct rp_tar_entry *ret_entry) {
    uint64_t mode, size, time;
    uint8_t again[RP_TAR_BLOCK];
    if (is_empty(block)) {
        *ret_entry = (struct rp_tar_entry){.size = 0};
        return RP_OK;
    }
    rp_view name = rp_view_of(block, RP_TAR_NAME_MAX);
    name = rp_view_sub(name, 0, rp_view_find_byte(name, 0));
    if (!take_octal(block + MODE_AT, 7, &mode) || mode > 0777 ||
        !take_octal(block + SIZE_AT, 11, &size) || !take_octal(block + TIME_AT, 11, &time) ||
        !rp_ok(rp_tar_header(name, size, (int64_t)time, again))) {
        return RP_ERR(CORRUPT);
    }
    rp_tar_set_mode(again, (unsigned)mode);
    if (!rp_view_equal(rp_view_of(block, RP_TAR_BLOCK), rp_view_of(again, RP_TAR_BLOCK))) {
        return RP_ERR(CORRUPT);
    }
    *ret_entry = (struct rp_tar_entry){.name = name, .size = size, .mode = (unsigned)mode};
    return RP_OK;
}
