/* checked.h — sizes that a stranger named are added and multiplied only here.
 *
 * Each returns false on overflow and leaves *ret untouched. rp_take moves a pointer out of a
 * variable; _cleanup_ runs a destructor when the variable goes out of scope.
 */
#ifndef RP_BASE_CHECKED_H
#define RP_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>

__attribute__((warn_unused_result)) static inline bool rp_add(size_t a, size_t b, size_t *ret) {
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *ret = sum;
    return true;
}

__attribute__((warn_unused_result)) static inline bool rp_mul(size_t a, size_t b, size_t *ret) {
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *ret = product;
    return true;
}

#define RP_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define RP_MAX(a, b) ((a) > (b) ? (a) : (b))

#define _cleanup_(function) __attribute__((cleanup(function)))

#define rp_take(pointer)                                                                           \
    ({                                                                                             \
        __typeof__(pointer) taken_from_ = (pointer);                                               \
        __typeof__(*taken_from_) taken_ = *taken_from_;                                            \
        *taken_from_ = NULL;                                                                       \
        taken_;                                                                                    \
    })

#endif
