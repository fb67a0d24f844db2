/* value.c — numbers as PostgreSQL sends them in binary: the largest byte first. */
#include "base/assert.h"
#include "store/postgresql/pg.h"

enum { NUMERIC_HEAD = 8, NUMERIC_POSITIVE = 0 };

void rp_pg_put_u64(uint64_t value, uint8_t out[static 8]) {
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static uint64_t take_big_endian(rp_view value) {
    uint64_t number = 0;
    for (size_t i = 0; i < value.n; i++) {
        number = number << 8 | value.p[i];
    }
    return number;
}

int64_t rp_pg_take_int8(const uint8_t bytes[static 8]) {
    uint64_t bits = take_big_endian(rp_view_of(bytes, 8));
    int64_t number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Of n bytes, the first bit is the sign. */
static uint64_t take_int(rp_view value) {
    if (value.n == 0 || value.n > 8 || (value.p[0] & 0x80) != 0) {
        return 0;
    }
    return take_big_endian(value);
}

static uint64_t take_short(rp_view value, size_t at) {
    return take_big_endian(rp_view_sub(value, at, 2));
}

/* sum() of bigints: a head of how many digits to the base 10,000, the weight of the first, the sign
 * and the scale; then the digits. Only whole numbers come here. */
static uint64_t take_numeric(rp_view value) {
    if (value.n < NUMERIC_HEAD || take_short(value, 4) != NUMERIC_POSITIVE) {
        return 0;
    }
    uint64_t digits = take_short(value, 0), weight = take_short(value, 2), number = 0;
    if (weight > 4 || value.n != NUMERIC_HEAD + 2 * digits) {
        return 0;
    }
    for (uint64_t i = 0; i <= weight; i++) {
        uint64_t digit = i < digits ? take_short(value, NUMERIC_HEAD + 2 * i) : 0;
        if (number > (INT64_MAX - digit) / 10000) {
            return 0;
        }
        number = number * 10000 + digit;
    }
    return number;
}

uint64_t rp_pg_take_u64(Oid type, rp_view value) {
    uint64_t number = 0;
    switch (type) {
    case RP_PG_BOOL:
    case RP_PG_INT2:
    case RP_PG_INT4:
    case RP_PG_INT8:
        return take_int(value);
    case RP_PG_NUMERIC:
        return take_numeric(value);
    default:
        return rp_view_to_u64(value, INT64_MAX, &number) ? number : 0;
    }
}
