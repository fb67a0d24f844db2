-- The system database as it stands in SQLite's step 023 (sql/sqlite/ says what each column means).
-- Texts are compared byte by byte, as there.

-- What SQLite has built in: of two numbers the larger and the smaller, NULL when one is.
CREATE FUNCTION max(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT greatest($1, $2) $$;
CREATE FUNCTION min(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT least($1, $2) $$;

-- What SQLite finds in a JSON text, asked in the same words: body ->> 'name', change ->> '$.filed.sha256'.
-- A text that is no JSON is an error, as there. No text here holds a zero byte: one that a JSON text
-- names, written before registers refused it, is read as U+FFFD.
CREATE FUNCTION without_zero(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN strpos($1, '\u0000') = 0 THEN $1
   ELSE regexp_replace($1, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END $$;
CREATE FUNCTION json_at(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT without_zero($1)::json #>> string_to_array(CASE WHEN $2 LIKE '$.%' THEN substr($2, 3) ELSE $2 END, '.') $$;
CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = text, FUNCTION = json_at);
CREATE FUNCTION json_extract(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT json_at($1, $2) $$;
CREATE FUNCTION json_each(text, text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT json_array_elements_text(list) FROM json_at($1, $2) AS here,
   LATERAL (SELECT CASE WHEN here LIKE '[%' THEN here::json ELSE '[]' END) AS one (list) $$;

-- The words of a text as SQLite's unicode61 cuts and folds them: letters and numbers, without case and
-- accents (of every script; there of Latin alone). One function, so that a question cannot differ from
-- what was kept. A word is known by its first 255 letters: a lexeme holds 2,046 bytes.
CREATE FUNCTION words_of(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ARRAY(SELECT left(word, 255) FROM regexp_split_to_table(
     replace(lower(normalize(regexp_replace(normalize($1, NFD), '[\u0300-\u036f]+', '', 'g'), NFC)
       COLLATE "und-x-icu"), 'ς', 'σ'),
     '[^[:alnum:]\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089\u2150-\u2189\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]+')
   AS word WHERE word <> '') $$;
-- Not by to_tsvector, whose own parser knows addresses, numbers and files. A tsvector counts to 16,383
-- and keeps 256 places of a word: every word of a larger text is found, but not each two of them as
-- neighbours. The register stands among the words, as no word can. Not a text but RETURN: a column is
-- made by it, and what pg_restore puts back is made without a search path.
CREATE FUNCTION words_kept(register text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT (quote_literal('in:' || register) || ' '
     || coalesce(string_agg('''' || word || ''':' || least(place, 16383), ' '), ''))::tsvector
   FROM unnest(words_of(body)) WITH ORDINALITY AS words (word, place));
-- Each word of the question by how it begins; what was one word there and is several here ("e-mail")
-- stands in this order. Nothing but letters and numbers is left that a tsquery could read. NULL when
-- there is no word; the register NULL: in all.
CREATE FUNCTION words_asked(register text, question text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (coalesce(quote_literal('in:' || register) || ' & ', '')
     || string_agg('(''' || array_to_string(words, ''' <-> ''') || ''':*)', ' & '))::tsquery
   FROM (SELECT words_of(part) AS words FROM unnest(string_to_array(question, ' ')) AS part) AS parts
   WHERE words <> '{}' $$;

CREATE TABLE owner (
  one     bigint PRIMARY KEY CHECK (one = 1),
  tenant  bytea NOT NULL CHECK (length(tenant) = 16)   -- zeros: the system's
);
CREATE TABLE outbox (
  sequence bigint PRIMARY KEY CHECK (sequence > 0),
  event    bytea NOT NULL
);
CREATE TABLE outbox_state (
  one    bigint PRIMARY KEY CHECK (one = 1),
  last   bigint NOT NULL CHECK (last >= 0),                      -- ever given out
  acked  bigint NOT NULL CHECK (acked >= 0 AND acked <= last)    -- the ledger has them
);
CREATE TABLE tenant (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  name       text COLLATE "C" NOT NULL CHECK (length(name) <= 128),
  internal   bigint NOT NULL CHECK (internal IN (0, 1)),  -- 1: this installation's own
  ready      bigint NOT NULL CHECK (ready IN (0, 1)),     -- 1: its file and its key exist
  created_ms bigint NOT NULL
);
CREATE UNIQUE INDEX tenant_internal ON tenant (internal) WHERE internal = 1;
CREATE TABLE person (
  id             bytea PRIMARY KEY CHECK (length(id) = 16),
  tenant         bytea NOT NULL REFERENCES tenant (id),      -- whose key seals what follows
  address        bytea NOT NULL UNIQUE CHECK (length(address) = 32),  -- keyed index
  email_sealed   bytea NOT NULL,
  password       text COLLATE "C" NOT NULL,                             -- PHC string, argon2id
  totp_sealed    bytea,
  totp_last_step bigint NOT NULL CHECK (totp_last_step >= 0),
  created_ms     bigint NOT NULL,
  lang           text COLLATE "C" NOT NULL DEFAULT 'fr' CHECK (lang IN ('fr', 'en')),
  last_tenant    bytea CHECK (length(last_tenant) = 16),
  quiet          text COLLATE "C" CHECK (length(quiet) IN (0, 11)),
  digest         text COLLATE "C" CHECK (length(digest) IN (0, 5))
);
CREATE TABLE membership (
  tenant bytea NOT NULL REFERENCES tenant (id),
  person bytea NOT NULL REFERENCES person (id),
  roles  bigint NOT NULL CHECK (roles BETWEEN 1 AND 7),
  PRIMARY KEY (tenant, person)
);
CREATE TABLE invitation (
  token_hash   bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  tenant       bytea NOT NULL REFERENCES tenant (id),
  person       bytea NOT NULL CHECK (length(person) = 16),   -- to be
  address      bytea NOT NULL CHECK (length(address) = 32),
  email_sealed bytea NOT NULL,
  roles        bigint NOT NULL CHECK (roles BETWEEN 1 AND 7),
  invited_by   bytea,
  seed_sealed  bytea,                                        -- the one-time-code seed shown
  expires_ms   bigint NOT NULL,
  used_ms      bigint
);
CREATE TABLE session (
  cookie_hash bytea PRIMARY KEY CHECK (length(cookie_hash) = 32),
  id          bytea NOT NULL UNIQUE CHECK (length(id) = 16),
  person      bytea NOT NULL REFERENCES person (id),
  tenant      bytea NOT NULL REFERENCES tenant (id),
  roles       bigint NOT NULL CHECK (roles BETWEEN 1 AND 7),
  acr         bigint NOT NULL CHECK (acr BETWEEN 1 AND 3),
  idle_max_s  bigint NOT NULL,
  created_ms  bigint NOT NULL,
  expires_ms  bigint NOT NULL
);
CREATE INDEX session_expires ON session (expires_ms);
CREATE TABLE pending_sign_in (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  person     bytea NOT NULL REFERENCES person (id),
  tenant     bytea NOT NULL REFERENCES tenant (id),
  tries      bigint NOT NULL,
  expires_ms bigint NOT NULL
);
CREATE TABLE sign_in_failure (
  address     bytea NOT NULL CHECK (length(address) = 32),
  client      bytea NOT NULL,
  count       bigint NOT NULL,
  last_ms     bigint NOT NULL,
  accepted_ms bigint,
  PRIMARY KEY (address, client)
);
CREATE TABLE clock (
  subject    bytea NOT NULL CHECK (length(subject) = 16),
  name       text COLLATE "C" NOT NULL,
  started_ms bigint NOT NULL,
  due_ms     bigint NOT NULL,
  next       bigint NOT NULL,                 -- which step comes next
  steps      bytea NOT NULL,
  paused_ms  bigint NOT NULL,
  working    bigint NOT NULL CHECK (working IN (0, 1)),
  next_ms    bigint,                          -- when that step is due; NULL: nothing is
  reason     text COLLATE "C",                             -- why it stands
  PRIMARY KEY (subject, name)
);
CREATE INDEX clock_next ON clock (next_ms) WHERE next_ms IS NOT NULL;
CREATE TABLE register_schema (
  register text COLLATE "C" PRIMARY KEY,
  version  bigint NOT NULL CHECK (version > 0),
  shape    text COLLATE "C" NOT NULL                       -- fields, types, choices and states, as text
);
CREATE TABLE register_record (
  row        bigint PRIMARY KEY,
  id         bytea NOT NULL UNIQUE CHECK (length(id) = 16),
  register   text COLLATE "C" NOT NULL,
  number     bigint NOT NULL CHECK (number > 0),
  state      text COLLATE "C" NOT NULL,
  version    bigint NOT NULL CHECK (version > 0),
  author     bytea NOT NULL CHECK (length(author) = 16),   -- zeros: the machine's owner
  created_ms bigint NOT NULL,
  changed_ms bigint NOT NULL,
  example    bigint NOT NULL CHECK (example IN (0, 1)),
  body       text COLLATE "C" NOT NULL,                    -- canonical JSON of the fields that are not sealed
  sealed     bytea,                             -- canonical JSON of those that are
  mac        bytea NOT NULL CHECK (length(mac) = 32),
  UNIQUE (register, number)
);
CREATE INDEX register_state ON register_record (register, state, number);
CREATE INDEX register_changed ON register_record (register, changed_ms, row);
CREATE TABLE register_value (
  record   bigint NOT NULL REFERENCES register_record (row),
  field    text COLLATE "C" NOT NULL,
  register text COLLATE "C" NOT NULL,
  value    text COLLATE "C",                     -- a number: in 19 digits, so that it sorts
  PRIMARY KEY (record, field)
);
CREATE INDEX register_value_find ON register_value (register, field, value NULLS FIRST, record);
CREATE TABLE register_change (
  record  bigint NOT NULL REFERENCES register_record (row),
  version bigint NOT NULL,
  change  text COLLATE "C" NOT NULL,
  sealed  bytea,
  PRIMARY KEY (record, version)
);
CREATE TABLE register_file (
  record  bigint NOT NULL REFERENCES register_record (row),
  sha256  bytea NOT NULL CHECK (length(sha256) = 32),   -- of what was handed in
  sealed  bytea NOT NULL,
  PRIMARY KEY (record, sha256)
);
CREATE TABLE register_view (
  id       bytea PRIMARY KEY CHECK (length(id) = 16),
  register text COLLATE "C" NOT NULL,
  person   bytea NOT NULL CHECK (length(person) = 16),
  name     text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  query    text COLLATE "C" NOT NULL CHECK (length(query) <= 4096),
  UNIQUE (register, person, name)
);
CREATE TABLE api_token (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  name       text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  person     bytea NOT NULL CHECK (length(person) = 16),   -- who made it; zeros: the machine's owner
  scope      text COLLATE "C" NOT NULL CHECK (scope IN ('read', 'write')),
  registers  text COLLATE "C" NOT NULL,                                -- ids separated by spaces, or *
  created_ms bigint NOT NULL,
  expires_ms bigint NOT NULL
);
CREATE TABLE reset_request (
  address  bytea PRIMARY KEY CHECK (length(address) = 32),   -- keyed index
  lang     text COLLATE "C" NOT NULL CHECK (lang IN ('fr', 'en')),
  asked_ms bigint NOT NULL,
  done     bigint NOT NULL CHECK (done IN (0, 1))
);
CREATE TABLE password_reset (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  person     bytea NOT NULL REFERENCES person (id),
  tenant     bytea NOT NULL REFERENCES tenant (id),
  expires_ms bigint NOT NULL,
  used_ms    bigint
);
CREATE TABLE recovery_code (
  person  bytea NOT NULL REFERENCES person (id),
  hash    bytea NOT NULL CHECK (length(hash) = 32),
  used_ms bigint,
  PRIMARY KEY (person, hash)
);
CREATE TABLE gate_entry (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  action     bigint NOT NULL CHECK (action IN (0, 1)),
  network    text COLLATE "C" NOT NULL,
  path       text COLLATE "C" NOT NULL,
  method     text COLLATE "C" NOT NULL,
  header     text COLLATE "C" NOT NULL,
  value      text COLLATE "C" NOT NULL,
  reason     text COLLATE "C" NOT NULL,
  who        text COLLATE "C" NOT NULL,
  created_ms bigint NOT NULL,
  expires_ms bigint NOT NULL
);
CREATE TABLE gate_lists (
  one        bigint PRIMARY KEY CHECK (one = 1),
  generation bigint NOT NULL
);
CREATE TABLE app_token (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  app        text COLLATE "C" NOT NULL CHECK (length(app) BETWEEN 1 AND 32),
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  scopes     bigint NOT NULL CHECK (scopes > 0),     -- set of rp_scope
  created_ms bigint NOT NULL,
  until_ms   bigint NOT NULL,                        -- 0: until it is taken back
  ended_ms   bigint NOT NULL DEFAULT 0
);
CREATE TABLE register_piece (
  record        bigint NOT NULL REFERENCES register_record (row),
  sha256        bytea NOT NULL CHECK (length(sha256) = 32),        -- of the whole file
  piece         bigint NOT NULL CHECK (piece BETWEEN 0 AND 63),
  sealed        bytea NOT NULL,
  sealed_sha256 bytea NOT NULL CHECK (length(sealed_sha256) = 32),
  UNIQUE (record, sha256, piece)
);
CREATE TABLE gate_attack (
  app      text COLLATE "C" PRIMARY KEY CHECK (length(app) <= 32),
  since_ms bigint NOT NULL,
  until_ms bigint NOT NULL,
  who      text COLLATE "C" NOT NULL
);
CREATE TABLE address_change (
  person        bytea PRIMARY KEY REFERENCES person (id),
  tenant        bytea NOT NULL REFERENCES tenant (id),        -- whose key seals what follows
  token_hash    bytea UNIQUE CHECK (length(token_hash) = 32), -- NULL: used, stopped
  stop_hash     bytea UNIQUE CHECK (length(stop_hash) = 32),  -- NULL: stopped
  address       bytea NOT NULL CHECK (length(address) = 32),  -- keyed index
  email_sealed  bytea NOT NULL,
  former        bytea NOT NULL CHECK (length(former) = 32),
  former_sealed bytea NOT NULL,
  asked_ms      bigint NOT NULL,
  used_ms       bigint,
  asks          bigint NOT NULL,
  since_ms      bigint NOT NULL
);
CREATE TABLE waf_exclusion (
  id            text COLLATE "C" PRIMARY KEY CHECK (length(id) = 8),
  app           text COLLATE "C" NOT NULL CHECK (length(app) BETWEEN 1 AND 32),
  rule          bigint NOT NULL CHECK (rule > 0),
  variable      text COLLATE "C" NOT NULL CHECK (length(variable) <= 64),   -- '': the whole rule
  path          text COLLATE "C" NOT NULL CHECK (length(path) <= 128),
  accepted      bigint NOT NULL CHECK (accepted IN (0, 1)),
  reason        text COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
  who           text COLLATE "C" NOT NULL CHECK (length(who) BETWEEN 1 AND 64),
  since_ms      bigint NOT NULL,
  people        bigint NOT NULL,                               -- behind it when it was decided
  organisations bigint NOT NULL,
  requests      bigint NOT NULL
);
CREATE TABLE tenant_closing (
  tenant       bytea PRIMARY KEY CHECK (length(tenant) = 16),
  asked_ms     bigint NOT NULL,
  due_ms       bigint NOT NULL,                       -- until then it can be taken back
  ended_ms     bigint NOT NULL DEFAULT 0,             -- its people and their sessions went
  destroyed_ms bigint NOT NULL DEFAULT 0,             -- its key went
  removed_ms   bigint NOT NULL DEFAULT 0              -- its files went
);
CREATE INDEX tenant_closing_due ON tenant_closing (due_ms) WHERE removed_ms = 0;
CREATE TABLE register_retired (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  register   text COLLATE "C" NOT NULL,
  number     bigint NOT NULL CHECK (number > 0),      -- never given again
  closed_ms  bigint NOT NULL,
  retired_ms bigint NOT NULL,
  UNIQUE (register, number)
);
CREATE TABLE notice (
  id         bytea NOT NULL CHECK (length(id) = 16),
  channel    text COLLATE "C" NOT NULL CHECK (channel IN ('mail', 'inbox', 'webhook')),
  key        bytea CHECK (length(key) BETWEEN 1 AND 64),
  kind       text COLLATE "C" NOT NULL,
  tenant     bytea NOT NULL REFERENCES tenant (id),
  person     bytea,
  lang       text COLLATE "C" NOT NULL CHECK (lang IN ('fr', 'en')),
  sealed     bytea,
  state      text COLLATE "C" NOT NULL
             CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'unread', 'read')),
  tries      bigint NOT NULL CHECK (tries >= 0),
  problem    text COLLATE "C" NOT NULL CHECK (length(problem) <= 200),   -- the last one
  created_ms bigint NOT NULL,
  next_ms    bigint NOT NULL,                               -- not before
  gather     bigint NOT NULL DEFAULT 0 CHECK (gather IN (0, 1)),
  bundle     bytea CHECK (length(bundle) = 16),
  gentle     bigint NOT NULL DEFAULT 0 CHECK (gentle IN (0, 1)),
  PRIMARY KEY (id, channel)
);
CREATE UNIQUE INDEX notice_key ON notice (key, channel) WHERE key IS NOT NULL;
CREATE INDEX notice_next ON notice (next_ms) WHERE state IN ('waiting', 'sending');
CREATE INDEX notice_person ON notice (person, created_ms) WHERE channel = 'inbox';
CREATE INDEX notice_bundle ON notice (bundle) WHERE bundle IS NOT NULL;
CREATE TABLE clock_trust (
  one        bigint PRIMARY KEY CHECK (one = 1),
  seen_ms    bigint NOT NULL CHECK (seen_ms >= 0),
  doubted_ms bigint CHECK (doubted_ms > seen_ms)      -- NULL: it is believed
);
CREATE TABLE passkey (
  id         bytea PRIMARY KEY CHECK (length(id) = 16),
  person     bytea NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  credential bytea NOT NULL UNIQUE CHECK (length(credential) = 32),
  sealed     bytea NOT NULL,
  sign_count bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
  created_ms bigint NOT NULL,
  used_ms    bigint NOT NULL                                -- 0: never
);
CREATE INDEX passkey_person ON passkey (person);
CREATE TABLE passkey_challenge (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  purpose    bigint NOT NULL,
  bound      bytea NOT NULL CHECK (length(bound) = 32),
  person     bytea CHECK (length(person) = 16),               -- NULL: nobody is known yet
  expires_ms bigint NOT NULL
);
CREATE INDEX passkey_challenge_bound ON passkey_challenge (bound, expires_ms);
CREATE INDEX passkey_challenge_open ON passkey_challenge (expires_ms) WHERE person IS NULL;
CREATE TABLE webhook (
  name       text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
  at         bigint NOT NULL CHECK (at >= 0),          -- the entry that is looked at next
  tries      bigint NOT NULL DEFAULT 0,                -- of that entry
  next_ms    bigint NOT NULL DEFAULT 0,                -- not before
  failing_ms bigint NOT NULL DEFAULT 0,                -- since when; 0: the last call was taken
  paused_ms  bigint NOT NULL DEFAULT 0,                -- since when; 0: it runs
  test_ms    bigint NOT NULL DEFAULT 0,                -- a test was asked for; 0: none
  sent       bigint NOT NULL DEFAULT 0,                -- calls that were taken
  last_ms    bigint NOT NULL DEFAULT 0,                -- the last call
  problem    text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(problem) <= 200)   -- what it said; '': taken
);
CREATE INDEX notice_gentle ON notice (person) WHERE gentle = 1 AND state = 'waiting';
CREATE TABLE lookalike_feed (
  one bigint PRIMARY KEY CHECK (one = 1),
  at_ms bigint NOT NULL CHECK (at_ms > 0),
  source text COLLATE "C" NOT NULL CHECK (length(source) <= 200),
  names bigint NOT NULL CHECK (names >= 0),
  flagged bigint NOT NULL CHECK (flagged >= 0)
);
CREATE TABLE register_text (
  rowid    bigint PRIMARY KEY,                   -- the record's row
  register text COLLATE "C" NOT NULL,
  body     text COLLATE "C" NOT NULL,
  words    tsvector GENERATED ALWAYS AS (words_kept(register, body)) STORED
);
CREATE INDEX register_text_words ON register_text USING gin (words);
-- The newest first. Planned anew with each question: a rare word is looked up in the index, one that
-- nearly each record has is soon met on the way from the newest.
CREATE FUNCTION words_found(register text, question text, most bigint, behind bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 25 SET plan_cache_mode = 'force_custom_plan' AS
$$ DECLARE asked tsquery := words_asked(register, question);
   BEGIN RETURN QUERY SELECT rowid FROM register_text WHERE words @@ asked
     ORDER BY rowid DESC LIMIT most OFFSET behind; END $$;

INSERT INTO owner VALUES (1, '\x00000000000000000000000000000000');
INSERT INTO outbox_state VALUES (1, 0, 0);
INSERT INTO gate_lists VALUES (1, 0);
