/* modsecurity.h — the original as a referee, where it is installed (libmodsecurity3 3.0.9).
 *
 * Its classes are C++, but a member function that returns a string is, to the machine, a function
 * with a place for the answer, `this`, and the arguments. That spares a second language here.
 */
#ifndef RP_TESTS_SHIELD_MODSECURITY_H
#define RP_TESTS_SHIELD_MODSECURITY_H

#include <dlfcn.h>

#include "unit.h"

struct cxx_string { /* std::string of libstdc++ */
    const char *p;
    size_t n;
    char small[16];
};
#define CXX_STRING_SYMBOL "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"

typedef void modsecurity_transform(struct cxx_string *ret, void *self,
                                   const struct cxx_string *value, void *transaction);

/* NULL when it is not here; then the test calls skip(). */
static inline void *modsecurity_open(void) {
    return dlopen("libmodsecurity.so.3", RTLD_NOW | RTLD_LOCAL);
}

static inline void *modsecurity_symbol(void *library, const char *symbol) {
    void *found = dlsym(library, symbol);
    if (found == NULL) {
        fail_msg("libmodsecurity has no %s", symbol);
    }
    return found;
}

static inline void modsecurity_free(void *library, struct cxx_string *string) {
    if (string->p != string->small) {
        /* The program's own delete first: a sanitizer brings one. */
        void *symbol = dlsym(RTLD_DEFAULT, "_ZdlPv");
        symbol = symbol != NULL ? symbol : modsecurity_symbol(library, "_ZdlPv");
        void (*delete)(void *) = NULL;
        memcpy(&delete, &symbol, sizeof delete);
        delete ((void *)(uintptr_t)string->p);
    }
}

#endif
