#include "os/outward.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/tcp.h"

/* RFC 6890 and its successors: what leads to no stranger's machine. */
static const struct {
    uint32_t address;
    unsigned bits;
} closed_v4[] = {{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},
                 {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
                 {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24},
                 {0xcb007100, 24}, {0xe0000000, 3}};

static bool is_public_v4(uint32_t address) {
    for (size_t i = 0; i < RP_COUNT_OF(closed_v4); i++) {
        if ((address ^ closed_v4[i].address) >> (32 - closed_v4[i].bits) == 0) {
            return false;
        }
    }
    return true;
}

static uint32_t read_u32(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Global unicast is 2000::/3; within it 2001::/23 is for protocols (Teredo among them), 2001:db8::
 * for documents, 3fff::/20 too, and 2002:: carries an IPv4 address of whoever wrote it. */
static bool is_public_v6(const uint8_t b[static 16]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (rp_view_equal(rp_view_of(b, sizeof mapped), rp_view_of(mapped, sizeof mapped))) {
        return is_public_v4(read_u32(b + 12));
    }
    uint32_t first = read_u32(b);
    return first >> 29 == 1 && first >> 9 != 0x20010000 >> 9 && first != 0x20010db8 &&
           first >> 16 != 0x2002 && first >> 12 != 0x3fff0000 >> 12;
}

bool rp_address_is_public(const void *address, size_t n) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    sa_family_t family = AF_UNSPEC;
    if (n >= sizeof family) {
        memcpy(&family, address, sizeof family);
    }
    if (family == AF_INET && n >= sizeof v4) {
        memcpy(&v4, address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (family == AF_INET6 && n >= sizeof v6) {
        memcpy(&v6, address, sizeof v6);
        return is_public_v6(v6.sin6_addr.s6_addr);
    }
    return false;
}

/* Waits until the kernel knows what came of it. */
static rp_err wait_for(int fd, int deadline_ms) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        ready = poll(&one, 1, deadline_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 ? rp_tcp_begun(fd) : RP_ERR(TIMEOUT);
}

static rp_err dial(const struct addrinfo *to, int deadline_ms, int *ret_fd) {
    _cleanup_fd_ int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return rp_err_from_errno(errno);
    }
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        RP_TRY(errno == EINPROGRESS ? RP_OK : rp_err_from_errno(errno));
        RP_TRY(wait_for(fd, deadline_ms));
    }
    *ret_fd = fd;
    fd = -1;
    return RP_OK;
}

/* Names below localhost are this machine's, whatever a name server says (RFC 6761, 6.3). */
static bool is_below_localhost(const char *host) {
    static const char below[] = ".localhost";
    size_t n = strlen(host);
    return n >= sizeof below && strcmp(host + n - (sizeof below - 1), below) == 0;
}

static rp_err look_up(const char *host, uint16_t port, struct addrinfo **ret_list) {
    const struct addrinfo wanted = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port);
    switch (
        getaddrinfo(is_below_localhost(host) ? "localhost" : host, service, &wanted, ret_list)) {
    case 0:
        return RP_OK;
    case EAI_AGAIN:
        return RP_ERR(UNREACHABLE);
    case EAI_MEMORY:
        return RP_ERR(NO_MEMORY);
    default:
        return RP_ERR(NOT_FOUND);
    }
}

static bool read_address(const struct sockaddr *address, uint8_t out[static 16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + sizeof mapped, &v4.sin_addr, sizeof v4.sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(out, &v6.sin6_addr, sizeof v6.sin6_addr);
        return true;
    }
    return false;
}

rp_err rp_outward_addresses(const char *host, uint8_t (*ret_addresses)[16], size_t max,
                            size_t *ret_count) {
    enum { ANY_PORT = 443 };
    struct addrinfo *list = NULL;
    size_t count = 0;
    RP_TRY(look_up(host, ANY_PORT, &list));
    for (const struct addrinfo *one = list; one && count < max; one = one->ai_next) {
        count += read_address(one->ai_addr, ret_addresses[count]);
    }
    freeaddrinfo(list);
    *ret_count = count;
    return RP_OK;
}

rp_err rp_outward_connect(const char *host, uint16_t port, bool also_private, int deadline_ms,
                          int *ret_fd) {
    RP_ASSERT(host != NULL && port != 0 && deadline_ms > 0 && ret_fd != NULL);
    struct addrinfo *list = NULL;
    rp_err err = RP_ERR(DENIED);
    bool allowed = false;
    RP_TRY(look_up(host, port, &list));
    for (const struct addrinfo *one = list; one; one = one->ai_next) {
        if (also_private || rp_address_is_public(one->ai_addr, one->ai_addrlen)) {
            allowed = true;
            err = dial(one, deadline_ms, ret_fd);
            if (rp_ok(err)) {
                break;
            }
        }
    }
    freeaddrinfo(list);
    RP_ASSERT(allowed || rp_is(err, RP_E_DENIED));
    return err;
}
