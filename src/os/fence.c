#include "os/fence.h"

#include <netinet/in.h> /* before the kernel's headers, which then leave its types alone */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum {
    RULE_BYTES = 1024, /* more than the longest rule takes */
    BATCH_MAX = (RP_FENCE_RULES_MAX + 2) * RULE_BYTES,
    ANSWER_MAX = 8192,
    WAIT_S = 2,
    STEPS = 4 /* that the kernel is to confirm: the table, both chains, the last rule */
};
enum { TABLE_OWNED = 2 /* NFT_TABLE_F_OWNER, since Linux 5.12 */ };
enum { V4_TARGET = 16, V6_TARGET = 24, PORT_TARGET = 2, TCP_FLAGS = 13, SYN = 2, ACK = 16 };

/* The one is done with a packet before the other sees it, also those of other installations. */
static const char named[] = "named", walls[] = "walls";
enum { NAMED_FIRST = -1, WALLS_THEN = 0 };

struct batch {
    uint8_t *bytes; /* of BATCH_MAX */
    size_t n;
};

static void *extend(struct batch *batch, size_t n) {
    RP_ASSERT(batch->n + NLMSG_ALIGN(n) <= BATCH_MAX);
    void *p = batch->bytes + batch->n;
    memset(p, 0, NLMSG_ALIGN(n));
    batch->n += NLMSG_ALIGN(n);
    return p;
}

/* A message's head and family; its length is set by end_message. */
static size_t begin_message(struct batch *batch, unsigned type, unsigned flags, unsigned family,
                            unsigned resource) {
    size_t at = batch->n;
    struct nlmsghdr *head = extend(batch, sizeof *head);
    head->nlmsg_type = (uint16_t)type;
    head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    struct nfgenmsg *family_head = extend(batch, sizeof *family_head);
    *family_head = (struct nfgenmsg){.nfgen_family = (uint8_t)family,
                                     .version = NFNETLINK_V0,
                                     .res_id = htons((uint16_t)resource)};
    return at;
}

static void end_message(struct batch *batch, size_t at) {
    uint32_t n = (uint32_t)(batch->n - at);
    memcpy(batch->bytes + at, &n, sizeof n); /* nlmsg_len comes first */
}

static void add(struct batch *batch, unsigned type, const void *value, size_t n) {
    struct nlattr *attribute = extend(batch, sizeof *attribute);
    *attribute =
        (struct nlattr){.nla_len = (uint16_t)(sizeof *attribute + n), .nla_type = (uint16_t)type};
    memcpy(extend(batch, n), value, n);
}

static void add_text(struct batch *batch, unsigned type, const char *text) {
    add(batch, type, text, strlen(text) + 1);
}

static void add_u32(struct batch *batch, unsigned type, uint32_t value) {
    uint32_t ordered = htonl(value);
    add(batch, type, &ordered, sizeof ordered);
}

static size_t open_nest(struct batch *batch, unsigned type) {
    size_t at = batch->n;
    struct nlattr *attribute = extend(batch, sizeof *attribute);
    attribute->nla_type = (uint16_t)(type | NLA_F_NESTED);
    return at;
}

static void close_nest(struct batch *batch, size_t at) {
    uint16_t n = (uint16_t)(batch->n - at);
    memcpy(batch->bytes + at, &n, sizeof n); /* nla_len comes first */
}

/* ---- expressions, each of which works on register 1 ---- */

struct expression {
    size_t element, data;
};

static struct expression open_expression(struct batch *batch, const char *name) {
    struct expression expression = {.element = open_nest(batch, NFTA_LIST_ELEM)};
    add_text(batch, NFTA_EXPR_NAME, name);
    expression.data = open_nest(batch, NFTA_EXPR_DATA);
    return expression;
}

static void close_expression(struct batch *batch, struct expression expression) {
    close_nest(batch, expression.data);
    close_nest(batch, expression.element);
}

static void add_value(struct batch *batch, unsigned type, const void *value, size_t n) {
    size_t nest = open_nest(batch, type);
    add(batch, NFTA_DATA_VALUE, value, n);
    close_nest(batch, nest);
}

static void load_meta(struct batch *batch, uint32_t key) {
    struct expression expression = open_expression(batch, "meta");
    add_u32(batch, NFTA_META_DREG, NFT_REG_1);
    add_u32(batch, NFTA_META_KEY, key);
    close_expression(batch, expression);
}

static void load_payload(struct batch *batch, uint32_t base, uint32_t offset, uint32_t n) {
    struct expression expression = open_expression(batch, "payload");
    add_u32(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
    add_u32(batch, NFTA_PAYLOAD_BASE, base);
    add_u32(batch, NFTA_PAYLOAD_OFFSET, offset);
    add_u32(batch, NFTA_PAYLOAD_LEN, n);
    close_expression(batch, expression);
}

static void store_mark(struct batch *batch) {
    struct expression expression = open_expression(batch, "meta");
    add_u32(batch, NFTA_META_KEY, NFT_META_MARK);
    add_u32(batch, NFTA_META_SREG, NFT_REG_1);
    close_expression(batch, expression);
}

/* register = register & mask ^ flip, of n bytes */
static void change(struct batch *batch, const void *mask, const void *flip, uint32_t n) {
    struct expression expression = open_expression(batch, "bitwise");
    add_u32(batch, NFTA_BITWISE_SREG, NFT_REG_1);
    add_u32(batch, NFTA_BITWISE_DREG, NFT_REG_1);
    add_u32(batch, NFTA_BITWISE_LEN, n);
    add_value(batch, NFTA_BITWISE_MASK, mask, n);
    add_value(batch, NFTA_BITWISE_XOR, flip, n);
    close_expression(batch, expression);
}

/* The rule goes on when the register holds (EQ), or does not hold (NEQ), this value. */
static void compare(struct batch *batch, uint32_t how, const void *value, size_t n) {
    struct expression expression = open_expression(batch, "cmp");
    add_u32(batch, NFTA_CMP_SREG, NFT_REG_1);
    add_u32(batch, NFTA_CMP_OP, how);
    add_value(batch, NFTA_CMP_DATA, value, n);
    close_expression(batch, expression);
}

static void conclude(struct batch *batch, uint32_t verdict_code) {
    struct expression expression = open_expression(batch, "immediate");
    add_u32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t value = open_nest(batch, NFTA_IMMEDIATE_DATA);
    size_t verdict = open_nest(batch, NFTA_DATA_VERDICT);
    add_u32(batch, NFTA_VERDICT_CODE, verdict_code);
    close_nest(batch, verdict);
    close_nest(batch, value);
    close_expression(batch, expression);
}

/* ---- rules ---- */

struct writing {
    struct batch *batch;
    const char *table;
    uint32_t loopback;
    bool on_loopback;
    size_t rules_left;
};

struct rule {
    size_t message, expressions;
};

/* "what this user sends" */
static struct rule open_rule(struct writing *writing, const char *chain, uid_t uid) {
    const uint32_t user = uid;
    struct batch *batch = writing->batch;
    unsigned confirm = --writing->rules_left == 0 ? NLM_F_ACK : 0;
    struct rule rule;
    rule.message = begin_message(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
                                 NLM_F_CREATE | NLM_F_APPEND | confirm, NFPROTO_INET, 0);
    add_text(batch, NFTA_RULE_TABLE, writing->table);
    add_text(batch, NFTA_RULE_CHAIN, chain);
    rule.expressions = open_nest(batch, NFTA_RULE_EXPRESSIONS);
    load_meta(batch, NFT_META_SKUID);
    compare(batch, NFT_CMP_EQ, &user, sizeof user); /* in the machine's own order */
    return rule;
}

static void close_rule(struct writing *writing, struct rule rule) {
    close_nest(writing->batch, rule.expressions);
    end_message(writing->batch, rule.message);
}

static void if_tcp(struct batch *batch, uint32_t how) {
    const uint8_t tcp = IPPROTO_TCP;
    load_meta(batch, NFT_META_L4PROTO);
    compare(batch, how, &tcp, sizeof tcp);
}

/* Before the ports: a field of TCP is read of TCP alone. */
static void if_target(struct writing *writing, const struct rp_fence_way *way) {
    struct batch *batch = writing->batch;
    const uint8_t family = way->six ? NFPROTO_IPV6 : NFPROTO_IPV4;
    const uint16_t port = htons(way->port);
    const uint32_t n = way->six ? 16 : 4;
    if (way->here) {
        load_meta(batch, NFT_META_OIF);
        compare(batch, NFT_CMP_EQ, &writing->loopback, sizeof writing->loopback);
    } else {
        load_meta(batch, NFT_META_NFPROTO);
        compare(batch, NFT_CMP_EQ, &family, sizeof family);
        load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, way->six ? V6_TARGET : V4_TARGET, n);
        compare(batch, NFT_CMP_EQ, way->address, n);
    }
    if_tcp(batch, NFT_CMP_EQ);
    load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_TARGET, sizeof port);
    compare(batch, NFT_CMP_EQ, &port, sizeof port);
}

static void name_way(struct writing *writing, const struct rp_fence_way *way) {
    const uint32_t others = ~(uint32_t)RP_FENCE_MARK, mark = RP_FENCE_MARK;
    struct rule rule = open_rule(writing, named, way->uid);
    if_target(writing, way);
    load_meta(writing->batch, NFT_META_MARK);
    change(writing->batch, &others, &mark, sizeof mark);
    store_mark(writing->batch);
    close_rule(writing, rule);
}

/* "what this user sends to where the fence stands, and nobody has named" */
static struct rule open_wall(struct writing *writing, uid_t uid) {
    const uint32_t mark = RP_FENCE_MARK, none = 0;
    struct batch *batch = writing->batch;
    struct rule rule = open_rule(writing, walls, uid);
    if (!writing->on_loopback) {
        load_meta(batch, NFT_META_OIF);
        compare(batch, NFT_CMP_NEQ, &writing->loopback, sizeof writing->loopback);
    }
    load_meta(batch, NFT_META_MARK);
    change(batch, &mark, &none, sizeof mark);
    compare(batch, NFT_CMP_EQ, &none, sizeof none);
    return rule;
}

static void wall_in(struct writing *writing, uid_t uid) {
    const uint8_t flags = SYN | ACK, begins = SYN, none = 0;
    struct batch *batch = writing->batch;
    struct rule other = open_wall(writing, uid);
    if_tcp(batch, NFT_CMP_NEQ);
    conclude(batch, NF_DROP);
    close_rule(writing, other);
    struct rule begin = open_wall(writing, uid);
    if_tcp(batch, NFT_CMP_EQ);
    load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
    change(batch, &flags, &none, 1);
    compare(batch, NFT_CMP_EQ, &begins, sizeof begins);
    conclude(batch, NF_DROP);
    close_rule(writing, begin);
}

static void write_chain(struct batch *batch, const char *table, const char *chain, int priority) {
    size_t at = begin_message(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
                              NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, NFPROTO_INET, 0);
    add_text(batch, NFTA_CHAIN_TABLE, table);
    add_text(batch, NFTA_CHAIN_NAME, chain);
    size_t hook = open_nest(batch, NFTA_CHAIN_HOOK);
    add_u32(batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
    add_u32(batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
    close_nest(batch, hook);
    add_u32(batch, NFTA_CHAIN_POLICY, NF_ACCEPT);
    add_text(batch, NFTA_CHAIN_TYPE, "filter");
    end_message(batch, at);
}

static void write_table(struct batch *batch, const char *table) {
    size_t at = begin_message(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
                              NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, NFPROTO_INET, 0);
    add_text(batch, NFTA_TABLE_NAME, table);
    add_u32(batch, NFTA_TABLE_FLAGS, TABLE_OWNED);
    end_message(batch, at);
    write_chain(batch, table, named, NAMED_FIRST);
    write_chain(batch, table, walls, WALLS_THEN);
}

static void write_batch(struct writing *writing, const struct rp_fence *fence) {
    struct batch *batch = writing->batch;
    size_t at = begin_message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end_message(batch, at);
    write_table(batch, writing->table);
    for (size_t i = 0; i < fence->way_count; i++) {
        name_way(writing, &fence->ways[i]);
    }
    for (size_t i = 0; i < fence->user_count; i++) {
        wall_in(writing, fence->users[i]);
    }
    RP_ASSERT(writing->rules_left == 0);
    at = begin_message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end_message(batch, at);
}

/* ---- the kernel's answer ---- */

/* Counts the steps that were taken, or returns the first refusal. */
static rp_err read_answers(const uint8_t *bytes, size_t n, unsigned *ret_taken) {
    const size_t least = sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr);
    while (n >= least) {
        struct nlmsghdr head;
        struct nlmsgerr answer;
        memcpy(&head, bytes, sizeof head);
        memcpy(&answer, bytes + NLMSG_HDRLEN, sizeof answer);
        if (head.nlmsg_type != NLMSG_ERROR || head.nlmsg_len < least) {
            return RP_ERR(PROTOCOL);
        }
        if (answer.error != 0) {
            return rp_err_from_errno(-answer.error);
        }
        (*ret_taken)++;
        size_t whole = RP_MIN(n, (size_t)NLMSG_ALIGN(head.nlmsg_len));
        bytes += whole;
        n -= whole;
    }
    return RP_OK;
}

static rp_err ask_kernel(int fd, const struct batch *batch) {
    _Alignas(NLMSG_ALIGNTO) uint8_t answer[ANSWER_MAX];
    const struct timeval wait = {.tv_sec = WAIT_S};
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        bind(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0 ||
        send(fd, batch->bytes, batch->n, 0) != (ssize_t)batch->n) {
        return rp_err_from_errno(errno);
    }
    for (unsigned taken = 0; taken < STEPS;) {
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n <= 0) {
            return n == 0 ? RP_ERR(PROTOCOL) : rp_err_from_errno(errno);
        }
        RP_TRY(read_answers(answer, (size_t)n, &taken));
    }
    return RP_OK;
}

/* A batch of many rules is longer than the kernel gives a socket by itself; root may have more. */
static rp_err send_to_kernel(const struct batch *batch, int *ret_fd) {
    const int room = 2 * BATCH_MAX;
    _cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0) {
        return rp_err_from_errno(errno);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    RP_TRY(ask_kernel(fd, batch));
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

/*= S71, S105 */ /* a role speaks to the places that were named for it, and to nobody else */
rp_err rp_fence_new(const struct rp_fence *fence, unsigned number, int *ret_fd) {
    RP_ASSERT(fence != NULL && fence->user_count > 0 && ret_fd != NULL);
    char table[40];
    struct batch batch = {.bytes = NULL};
    struct writing writing = {.batch = &batch,
                              .table = table,
                              .loopback = if_nametoindex("lo"),
                              .on_loopback = fence->loopback,
                              .rules_left = fence->way_count + 2 * fence->user_count};
    if (writing.loopback == 0) {
        return RP_ERR(NOT_FOUND);
    }
    if (writing.rules_left > RP_FENCE_RULES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    batch.bytes = malloc(BATCH_MAX); /* aligned for anything */
    if (!batch.bytes) {
        return RP_ERR(NO_MEMORY);
    }
    snprintf(table, sizeof table, "rempart-%d-%u", (int)getpid(), number);
    write_batch(&writing, fence);
    rp_err err = send_to_kernel(&batch, ret_fd);
    free(batch.bytes);
    return err;
}
