/* artefact.h — what goes to production, named by its digest: "shop@sha256:9f86…", "git:4f1c…".
 *
 *   artefact = [ name "@" ] ( "sha256:" 64HEX | "git:" ( 40HEX | 64HEX ) )
 *
 * sha256 is of a file's bytes, or the digest of a container image as registries write it (OCI image
 * specification, "Digests"); git is a commit. HEX is in small letters. The name is for people: 1 to
 * 200 visible ASCII characters. Pure.
 */
#ifndef RP_WIRE_ARTEFACT_H
#define RP_WIRE_ARTEFACT_H

#include "base/view.h"

enum { RP_ARTEFACT_NAME_MAX = 200, RP_ARTEFACT_HEX_MAX = 64 };

struct rp_artefact {
    rp_view name; /* p == NULL: it has none */
    bool git;
    rp_view hex;
};

/* False: it is none. */
bool rp_artefact_parse(rp_view text, struct rp_artefact *ret_artefact);
/* As people and pipelines ask about one: bare HEX too, 64 for sha256 and 40 for a commit. */
bool rp_artefact_parse_loose(rp_view text, struct rp_artefact *ret_artefact);

#endif
