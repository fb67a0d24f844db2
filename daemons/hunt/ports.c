/* ports.c — what listens on this machine, against what was declared.
 *
 * The kernel tells every socket of this network, whose it is and where it is bound. Two kinds are
 * judged: what a role has opened, wherever it is bound, and what can be reached from outside once
 * the gate itself can be. What other programs open for this machine alone is their business.
 */
#include <unistd.h>

#include "base/checked.h"
#include "hunt.h"
#include "os/file.h"
#include "os/role.h"
#include "wire/sockets.h"

enum {
    CHUNK = 8 * 1024,
    /* From here on Linux hands out ports to those who only ask (ip_local_port_range): there a UDP
     * socket without a peer is a question on its way, not a service. */
    ASKING_PORTS = 32768
};

static const struct {
    const char *path;
    bool udp;
} lists[HUNT_SOCKET_LISTS] = {{"/proc/net/tcp", false},
                              {"/proc/net/tcp6", false},
                              {"/proc/net/udp", true},
                              {"/proc/net/udp6", true}};

void hunt_find_sockets(struct hunt *hunt) {
    static const enum rp_role_id roles[HUNT_ROLES] = {
        RP_ROLE_LEDGER,  RP_ROLE_KMS,  RP_ROLE_CORE, RP_ROLE_GATE,  RP_ROLE_PROBE,   RP_ROLE_HUNT,
        RP_ROLE_COURIER, RP_ROLE_ACME, RP_ROLE_LINK, RP_ROLE_VAULT, RP_ROLE_WITNESS, RP_ROLE_DIAL};
    struct hunt_sockets *sockets = &hunt->sockets;
    for (size_t i = 0; i < HUNT_SOCKET_LISTS; i++) {
        sockets->lists[i] = -1;
        rp_ignore(rp_file_open(lists[i].path, &sockets->lists[i])); /* a kernel without IPv6 */
    }
    for (size_t i = 0; i < HUNT_ROLES; i++) {
        uid_t uid;
        gid_t gid;
        if (geteuid() == 0 && rp_ok(rp_role_uid(roles[i], &uid, &gid))) {
            sockets->roles[sockets->role_count++] = uid;
        }
    }
}

struct found {
    struct rp_socket socket;
    bool udp, of_role;
};

struct looking {
    const struct hunt *hunt;
    bool udp;      /* the list that is being read */
    bool outside;  /* others can reach the gate, so they must reach nothing else */
    bool has_gate; /* seen: the gate's own port */
    unsigned judged, undeclared;
    struct found first; /* of the undeclared */
};

/* With a provider in front, the way to a gate on the loopback may lead over this machine. */
static bool is_reached_from_outside(const struct rp_config *config) {
    struct rp_socket gate = {.port = 0};
    bool local = rp_ok(rp_ip_parse(rp_view_from_cstr(config->address), &gate.ip)) &&
                 rp_socket_is_local(&gate);
    return !local || config->trusted_proxies.count > 0;
}

static bool is_of_role(const struct hunt_sockets *sockets, uid_t uid) {
    bool found = false;
    for (size_t i = 0; i < sockets->role_count; i++) {
        found = found || sockets->roles[i] == uid;
    }
    return found;
}

static bool is_declared(const struct rp_config *config, bool udp, uint16_t port) {
    bool linked = config->link.address && port == config->link.port;
    bool declared = !udp && (port == config->listen || port == config->listen_http || linked);
    for (size_t i = 0; i < config->declared_ports.count; i++) {
        struct rp_config_port one;
        rp_view text = rp_view_from_cstr(config->declared_ports.items[i]);
        declared =
            declared || (rp_config_declared_port(text, &one) && one.udp == udp && one.port == port);
    }
    return declared;
}

/*= S37: what is open was declared, with who answers for it and why. */
static void judge(struct looking *looking, const struct rp_socket *socket) {
    const struct rp_config *config = looking->hunt->config;
    bool of_role = is_of_role(&looking->hunt->sockets, socket->uid);
    bool reached = looking->outside && !rp_socket_is_local(socket);
    looking->has_gate = looking->has_gate || (!looking->udp && socket->port == config->listen);
    if (!reached && !of_role) {
        return;
    }
    looking->judged++;
    if (!is_declared(config, looking->udp, socket->port) && looking->undeclared++ == 0) {
        looking->first = (struct found){.socket = *socket, .udp = looking->udp, .of_role = of_role};
    }
}

static bool is_open(const struct looking *looking, const struct rp_socket *socket) {
    return looking->udp ? socket->state == RP_SOCKET_CLOSED && socket->port < ASKING_PORTS
                        : socket->state == RP_SOCKET_LISTENS;
}

/* Judges the whole lines, and leaves what is not one yet. false past the last that counts: TCP
 * sockets that listen are told first. */
static rp_err look_at_lines(struct looking *looking, rp_view *rest, bool *ret_more) {
    *ret_more = true;
    while (*ret_more && rp_view_find_byte(*rest, '\n') < rest->n) {
        struct rp_socket socket;
        RP_TRY(rp_socket_parse(rp_view_cut(rest, '\n'), &socket));
        bool open = is_open(looking, &socket);
        *ret_more = open || looking->udp;
        if (open) {
            judge(looking, &socket);
        }
    }
    return RP_OK;
}

static rp_err look_at_list(struct looking *looking, int fd) {
    uint8_t bytes[CHUNK];
    size_t kept = 0, got = 0;
    uint64_t offset = 0;
    bool more = true, headings = true;
    while (more) {
        RP_TRY(rp_file_read_some(fd, offset, bytes + kept, sizeof bytes - kept, &got));
        rp_view rest = rp_view_of(bytes, kept + got);
        if (headings) {
            rp_view_cut(&rest, '\n');
            headings = false;
        }
        RP_TRY(look_at_lines(looking, &rest, &more));
        more = more && got > 0;
        offset += got;
        kept = rest.n;
        memmove(bytes, rest.p, kept);
    }
    return RP_OK;
}

static rp_err look_at_all(struct looking *looking) {
    for (size_t i = 0; i < HUNT_SOCKET_LISTS; i++) {
        looking->udp = lists[i].udp;
        if (looking->hunt->sockets.lists[i] >= 0) {
            RP_TRY(look_at_list(looking, looking->hunt->sockets.lists[i]));
        }
    }
    return RP_OK;
}

static void tell_first(const struct looking *looking, struct rp_observation *seen) {
    char address[RP_IP_TEXT_MAX];
    rp_ip_print(&looking->first.socket.ip, address);
    rp_probe_broken(seen, "%s port %u on %s is open, by %s %u, and not declared; %u such",
                    looking->first.udp ? "UDP" : "TCP", looking->first.socket.port, address,
                    looking->first.of_role ? "a role, user" : "user", looking->first.socket.uid,
                    looking->undeclared);
}

void hunt_open_ports(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct looking looking = {.hunt = hunt, .outside = is_reached_from_outside(hunt->config)};
    rp_err err = look_at_all(&looking);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the kernel's sockets cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (looking.undeclared > 0) {
        tell_first(&looking, seen);
    } else if (!looking.has_gate) {
        rp_probe_unsure(seen, "the gate is not among the sockets that the kernel tells");
    } else if (looking.outside) {
        rp_probe_holds(seen, "%u sockets are open to the outside, each declared", looking.judged);
    } else if (hunt->sockets.role_count == 0) {
        rp_probe_not_met(seen,
                         "the roles have no users of their own, so that their ports cannot be "
                         "told from those of others");
    } else {
        rp_probe_holds(seen, "the gate serves this machine alone, and no role has opened a port");
    }
}
