/* Any bytes as SQL and as markup. Where libmodsecurity is installed its libinjection says the same,
 * fingerprint and all. */
#include <dlfcn.h>
#include <stdlib.h>

#include "fuzz.h"
#include "shield/injection.h"

typedef int original_sqli(const char *text, size_t n, char *ret_fingerprint);
typedef int original_xss(const char *text, size_t n);

struct original {
    original_sqli *sqli;
    original_xss *xss;
};

static struct original original_open(void) {
    struct original original = {NULL, NULL};
    void *library = dlopen("libmodsecurity.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        void *symbol = dlsym(library, "libinjection_sqli");
        memcpy(&original.sqli, &symbol, sizeof original.sqli);
        symbol = dlsym(library, "libinjection_xss");
        memcpy(&original.xss, &symbol, sizeof original.xss);
    }
    return original;
}

/* The original reads one byte further than its value: ModSecurity's strings end in a NUL. */
static char *with_nul(const uint8_t *data, size_t n) {
    char *text = calloc(1, n + 1);
    RP_ASSERT(text != NULL);
    if (n > 0) {
        memcpy(text, data, n);
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct original original;
    static bool opened;
    char ours[8] = "";
    char theirs[8] = "";
    if (!opened) {
        original = original_open();
        opened = true;
    }
    bool sqli = rp_detect_sqli(rp_view_of(data, n), ours);
    bool xss = rp_detect_xss(rp_view_of(data, n));
    char *text = with_nul(data, n);
    if (original.sqli != NULL) {
        FUZZ_CHECK(sqli == (original.sqli(text, n, theirs) != 0));
        FUZZ_CHECK(strcmp(ours, theirs) == 0);
    }
    if (original.xss != NULL) {
        FUZZ_CHECK(xss == (original.xss(text, n) != 0));
    }
    free(text);
    return 0;
}
