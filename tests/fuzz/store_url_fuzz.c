/* The address of a store, as an operator writes it. What is taken is bounded, and names nothing
 * that would have to be quoted in SQL.
 */
#include <string.h>

#include "fuzz.h"
#include "wire/store_url.h"

static bool is_plain(const char *name) {
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) && name[0] != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_store_url url;
    struct rp_diag diag = {0};
    if (rp_ok(rp_store_url_parse(rp_view_of(data, n), &url, &diag)) && !url.files) {
        FUZZ_CHECK(is_plain(url.schema) && strlen(url.schema) <= RP_STORE_SCHEMA_MAX);
        FUZZ_CHECK(url.folder[0] == '/' && url.user[0] != 0 && url.database[0] != 0);
        FUZZ_CHECK(strpbrk(url.folder, "'\"\\ ") == NULL);
    }
    return 0;
}
