#include "os/fence.h"

#include <netinet/in.h> /* before the kernel's headers, which then leave its types alone */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum { BATCH_MAX = 4096, ANSWER_MAX = 8192, WAIT_S = 2, STEPS = 3 };
enum { TABLE_OWNED = 2 /* NFT_TABLE_F_OWNER, since Linux 5.12 */ };

static const char chain[] = "output";

struct batch {
    _Alignas(NLMSG_ALIGNTO) uint8_t bytes[BATCH_MAX];
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

/* ---- the rule: user, way out, verdict ---- */

/* "what the packet's `key` is, compared with value" */
static void add_condition(struct batch *batch, uint32_t key, uint32_t compare, uint32_t value) {
    size_t element = open_nest(batch, NFTA_LIST_ELEM);
    add_text(batch, NFTA_EXPR_NAME, "meta");
    size_t data = open_nest(batch, NFTA_EXPR_DATA);
    add_u32(batch, NFTA_META_DREG, NFT_REG_1);
    add_u32(batch, NFTA_META_KEY, key);
    close_nest(batch, data);
    close_nest(batch, element);
    element = open_nest(batch, NFTA_LIST_ELEM);
    add_text(batch, NFTA_EXPR_NAME, "cmp");
    data = open_nest(batch, NFTA_EXPR_DATA);
    add_u32(batch, NFTA_CMP_SREG, NFT_REG_1);
    add_u32(batch, NFTA_CMP_OP, compare);
    size_t wanted = open_nest(batch, NFTA_CMP_DATA);
    add(batch, NFTA_DATA_VALUE, &value, sizeof value); /* in the machine's own order */
    close_nest(batch, wanted);
    close_nest(batch, data);
    close_nest(batch, element);
}

static void add_drop(struct batch *batch) {
    size_t element = open_nest(batch, NFTA_LIST_ELEM);
    add_text(batch, NFTA_EXPR_NAME, "immediate");
    size_t data = open_nest(batch, NFTA_EXPR_DATA);
    add_u32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t value = open_nest(batch, NFTA_IMMEDIATE_DATA);
    size_t verdict = open_nest(batch, NFTA_DATA_VERDICT);
    add_u32(batch, NFTA_VERDICT_CODE, NF_DROP);
    close_nest(batch, verdict);
    close_nest(batch, value);
    close_nest(batch, data);
    close_nest(batch, element);
}

static void write_batch(struct batch *batch, const char *table, uid_t uid, unsigned loopback) {
    const unsigned tables = NFNL_SUBSYS_NFTABLES << 8;
    size_t at = begin_message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end_message(batch, at);

    at = begin_message(batch, tables | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
                       NFPROTO_INET, 0);
    add_text(batch, NFTA_TABLE_NAME, table);
    add_u32(batch, NFTA_TABLE_FLAGS, TABLE_OWNED);
    end_message(batch, at);

    at = begin_message(batch, tables | NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
                       NFPROTO_INET, 0);
    add_text(batch, NFTA_CHAIN_TABLE, table);
    add_text(batch, NFTA_CHAIN_NAME, chain);
    size_t hook = open_nest(batch, NFTA_CHAIN_HOOK);
    add_u32(batch, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
    add_u32(batch, NFTA_HOOK_PRIORITY, 0);
    close_nest(batch, hook);
    add_u32(batch, NFTA_CHAIN_POLICY, NF_ACCEPT);
    add_text(batch, NFTA_CHAIN_TYPE, "filter");
    end_message(batch, at);

    at = begin_message(batch, tables | NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
                       NFPROTO_INET, 0);
    add_text(batch, NFTA_RULE_TABLE, table);
    add_text(batch, NFTA_RULE_CHAIN, chain);
    size_t expressions = open_nest(batch, NFTA_RULE_EXPRESSIONS);
    add_condition(batch, NFT_META_SKUID, NFT_CMP_EQ, uid);
    add_condition(batch, NFT_META_OIF, NFT_CMP_NEQ, loopback);
    add_drop(batch);
    close_nest(batch, expressions);
    end_message(batch, at);

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

/*= S105 */ /* the role that speaks to the network speaks to this machine's own gate alone */
rp_err rp_fence_new(uid_t uid, int *ret_fd) {
    RP_ASSERT(ret_fd != NULL);
    char table[40];
    struct batch batch = {.n = 0};
    unsigned loopback = if_nametoindex("lo");
    if (loopback == 0) {
        return RP_ERR(NOT_FOUND);
    }
    _cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0) {
        return rp_err_from_errno(errno);
    }
    snprintf(table, sizeof table, "rempart-%d-%u", (int)getpid(), (unsigned)uid);
    write_batch(&batch, table, uid, loopback);
    RP_TRY(ask_kernel(fd, &batch));
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}
