/* roles.c — what each role may touch: the whole table, on one page.
 *
 * Paths are relative to the state folder. Nothing else can be opened after entry; one role alone
 * can start programs (acme: uacme); "connect" is what it may reach. The gate is nginx: its module
 * fences its workers.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "daemon.h"

enum { R = RP_ACCESS_READ, RW = RP_ACCESS_READ | RP_ACCESS_WRITE };

static const struct rp_role_path ledger_paths[] = {
    {"ledger", RW, false},
    {"run", RW, false},
};

/*= S85, S86: the keys' folder is open to the key service and to nobody else. */
static const struct rp_role_path kms_paths[] = {
    {"kms", RW, false},
    {"run", RW, false},
};

static const struct rp_role_path core_paths[] = {
    {"db", RW, false},     {"tenants", RW, false}, {"run", RW, false},
    {"canary", RW, false}, {"apps", RW, false},    {"ledger", R, false},
    {"waf", R, false},     {"acme", R, true}, /* what became of certificates, to tell the operator
                                               */
};

static const struct rp_role_path gate_paths[] = {
    {"run", RW, false},
};

static const struct rp_role_path probe_paths[] = {
    {"canary", R, false},
    {"probe", RW, false},
    {"run", RW, false},
    {"gate/tls", R, true},
    {"/etc/ssl/certs", R, true},
    {"/usr/share/ca-certificates", R, true},
    {"/etc/ssl/openssl.cnf", R, true},
    {"/usr/lib/ssl", R, true},
};

static const struct rp_role_path hunt_paths[] = {
    {"db", R, false},     {"tenants", R, false}, {"ledger", R, false}, {"apps", R, false},
    {"canary", R, false}, {"probe", R, false},   {"gate", R, true},    {"log", R, true},
    {"hunt", RW, false},  {"run", RW, false},
};

/* Its account and authority are read before entry; the rest is what a certificate needs. */
static const struct rp_role_path courier_paths[] = {
    {"courier", RW, false},
    {"run", RW, false},
    {"/etc/ssl/certs", R, true},
    {"/usr/share/ca-certificates", R, true},
    {"/etc/ssl/openssl.cnf", R, true},
    {"/usr/lib/ssl", R, true},
};

/* uacme runs in these walls too, and starts us for each challenge. What it may read is its
 * libraries and authorities; of the gate's, requests and certificates, which are public. */
enum { RX = RP_ACCESS_READ | RP_ACCESS_EXECUTE };
static const struct rp_role_path acme_paths[] = {
    {"acme", RW, false},
    {"run", RW, false},
    {"gate/acme", R, false},
    {"/usr/bin/uacme", RX, true},
    {"/proc/self/exe", RX, false},
    {"/lib64/ld-linux-x86-64.so.2", RX, true},
    {"/lib/ld-linux-aarch64.so.1", RX, true},
    {"/lib", R, true},
    {"/usr/lib", R, true},
    {"/dev/null", RW, false},
    {"/etc/ld.so.cache", R, true},
    {"/etc/localtime", R, true},
    {"/etc/ssl/certs", R, true},
    {"/usr/share/ca-certificates", R, true},
    {"/usr/local/share/ca-certificates", R, true},
    {"/etc/ssl/openssl.cnf", R, true},
};

/* Its key is read, and its port taken, before entry. */
static const struct rp_role_path link_paths[] = {
    {"run", RW, false},
};

/*= S113: the log machine's copy; who keeps it speaks to nobody. */
static const struct rp_role_path vault_paths[] = {
    {"vault", RW, false},
    {"run", RW, false},
};

static const struct rp_role_path witness_paths[] = {
    {"witness", RW, false},
    {"run", RW, false},
};

/* What a name needs; it holds nothing else, for it alone reaches whatever address it is told. */
static const struct rp_role_path dial_paths[] = {
    {"run", RW, false},          {"/etc/resolv.conf", R, true},
    {"/etc/hosts", R, true},     {"/etc/nsswitch.conf", R, true},
    {"/etc/host.conf", R, true}, {"/etc/gai.conf", R, true},
};

#define PATHS(table) .paths = (table), .path_count = RP_COUNT_OF(table)

static const struct rp_role roles[] = {
    {.id = RP_ROLE_LEDGER,
     .name = "ledger",
     .user = "rempart-ledger",
     .connect = RP_CONNECT_NEVER,
     .threads = true,
     PATHS(ledger_paths)},
    {.id = RP_ROLE_KMS,
     .name = "kms",
     .user = "rempart-kms",
     .connect = RP_CONNECT_UNIX,
     PATHS(kms_paths)},
    {.id = RP_ROLE_CORE,
     .name = "core",
     .user = "rempart-core",
     .connect = RP_CONNECT_UNIX,
     .threads = true,
     PATHS(core_paths)},
    /* Its workers stand in walls like these (edge/nginx/worker); its canary stands here. */
    {.id = RP_ROLE_GATE,
     .name = "gate",
     .user = "rempart-gate",
     .connect = RP_CONNECT_INET,
     PATHS(gate_paths)},
    {.id = RP_ROLE_PROBE,
     .name = "probe",
     .user = "rempart-probe",
     .connect = RP_CONNECT_INET,
     .threads = true,
     .own_address = true, /* its floods come from elsewhere than its good client */
     PATHS(probe_paths)},
    {.id = RP_ROLE_HUNT,
     .name = "hunt",
     .user = "rempart-hunt",
     .connect = RP_CONNECT_UNIX,
     .threads = true,
     PATHS(hunt_paths)},
    {.id = RP_ROLE_COURIER,
     .name = "courier",
     .user = "rempart-courier",
     .connect = RP_CONNECT_UNIX,
     .threads = true,
     PATHS(courier_paths)},
    {.id = RP_ROLE_ACME,
     .name = "acme",
     .user = "rempart-acme",
     .connect = RP_CONNECT_UNIX,
     .threads = true,
     .programs = true,
     PATHS(acme_paths)},
    {.id = RP_ROLE_LINK,
     .name = "link",
     .user = "rempart-link",
     .connect = RP_CONNECT_INET,
     .threads = true,
     PATHS(link_paths)},
    {.id = RP_ROLE_VAULT,
     .name = "vault",
     .user = "rempart-vault",
     .connect = RP_CONNECT_NEVER,
     PATHS(vault_paths)},
    {.id = RP_ROLE_WITNESS,
     .name = "witness",
     .user = "rempart-witness",
     .connect = RP_CONNECT_UNIX,
     PATHS(witness_paths)},
    /*= S71 */ /* of what leaves for an address that a setting names, the one door */
    {.id = RP_ROLE_DIAL,
     .name = "dial",
     .user = "rempart-dial",
     .connect = RP_CONNECT_INET,
     .threads = true,
     .datagrams = true,
     .any_port = true,
     PATHS(dial_paths)},
};

const struct rp_role *daemon_role(enum rp_role_id role) {
    for (size_t i = 0; i < RP_COUNT_OF(roles); i++) {
        if (roles[i].id == role) {
            return &roles[i];
        }
    }
    RP_UNREACHABLE();
}
