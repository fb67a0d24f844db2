/* make_log.c — writes a ledger for somebody else to judge: make_log FOLDER SIZE… */
#include <stdio.h>
#include <unistd.h>

#include "vault.h"

#include "ledger/witnessed_io.h"
#include "os/file.h"

/* The newest head as a witness of a new key cosigned it; the key lies beside it for who judges. */
static void cosign(const struct vault *vault) {
    struct rp_log *log = NULL;
    struct rp_log_key key;
    struct rp_tlog_note note;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    struct rp_buf text = rp_buf_new(RP_WITNESSED_MAX);
    const rp_view name = RP_VIEW("witness.example/w");
    assert_ok(rp_ed25519_new(&vault->env, &key.secret));
    assert_ok(rp_ed25519_public(key.secret, key.public_key));
    assert_ok(rp_log_open("ledger/public", (rp_view){NULL, 0}, &log, NULL));
    rp_buf_add(&text, rp_log_note(log));
    assert_ok(rp_tlog_note_parse(rp_log_note(log), arena, &note));
    assert_ok(rp_cosign(&key, name, note.text, 1700000000, &text));
    assert_ok(rp_witnessed_keep("ledger/public", rp_log_vkey(log), rp_buf_view(&text)));
    rp_buf_clear(&text);
    struct rp_tlog_vkey vkey = rp_vkey_of(RP_VKEY_COSIGNER, name, key.public_key);
    rp_tlog_vkey_print(&text, &vkey);
    assert_ok(rp_file_replace("ledger/public/witness.vkey", 0640, rp_buf_view(&text)));
    rp_buf_done(&text);
    rp_log_free(log);
    rp_secret_free(key.secret);
    rp_arena_free(arena);
}

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
    cosign(&vault);
    int failed = rename("ledger/public", argv[1]);
    vault_remove(&vault);
    return failed ? 1 : 0;
}
