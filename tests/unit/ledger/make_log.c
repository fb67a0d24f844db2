/* make_log.c — writes a ledger for somebody else to judge: make_log FOLDER SIZE… */
#include <stdio.h>
#include <unistd.h>

#include "vault.h"

int main(int argc, char **argv) {
    struct vault vault;
    if (argc < 3) {
        return 2;
    }
    vault_new(&vault);
    vault_open(&vault);
    uint64_t size = 0;
    for (int i = 2; i < argc; i++) {
        uint64_t next = 0;
        if (!rp_view_to_u64(rp_view_from_cstr(argv[i]), 1 << 20, &next) || next < size) {
            return 2;
        }
        vault_add(&vault, vault_public, (unsigned)(next - size));
        vault_publish(&vault);
        size = next;
    }
    vault_close(&vault);
    int failed = rename("ledger/public", argv[1]);
    vault_remove(&vault);
    return failed ? 1 : 0;
}
