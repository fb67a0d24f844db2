#include "ipc/table.h"

#include "base/checked.h"
#include "ipc/ipc.h"

static const struct rp_ipc_rule rules[] = {
#define RP_PAIR(client, server, socket)
#define RP_MESSAGE(client, server, name, number, max_request, max_reply)                           \
    {RP_ROLE_##client, RP_ROLE_##server, #name, (number), (max_request), (max_reply)},
#include "ipc/pairs.def"
#undef RP_PAIR
#undef RP_MESSAGE
};

struct pair {
    enum rp_role_id client, server;
    const char *socket;
};

static const struct pair pairs[] = {
#define RP_PAIR(client, server, socket) {RP_ROLE_##client, RP_ROLE_##server, (socket)},
#define RP_MESSAGE(client, server, name, number, max_request, max_reply)
#include "ipc/pairs.def"
#undef RP_PAIR
#undef RP_MESSAGE
};

const struct rp_ipc_rule *rp_ipc_rule_find(enum rp_role_id client, enum rp_role_id server,
                                           uint32_t number) {
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        const struct rp_ipc_rule *rule = &rules[i];
        if (rule->client == client && rule->server == server && rule->number == number) {
            return rule;
        }
    }
    return NULL;
}

bool rp_ipc_pair_exists(enum rp_role_id client, enum rp_role_id server) {
    for (size_t i = 0; i < RP_COUNT_OF(pairs); i++) {
        if (pairs[i].client == client && pairs[i].server == server) {
            return true;
        }
    }
    return false;
}

size_t rp_ipc_messages(enum rp_role_id client, enum rp_role_id server) {
    size_t count = 0;
    for (size_t i = 0; i < RP_COUNT_OF(rules); i++) {
        count += rules[i].client == client && rules[i].server == server;
    }
    return count;
}

const char *rp_ipc_socket_of(enum rp_role_id server) {
    for (size_t i = 0; i < RP_COUNT_OF(pairs); i++) {
        if (pairs[i].server == server) {
            return pairs[i].socket;
        }
    }
    return NULL;
}
