// The stories of a security office, each told twice: through the API and by the command line. What a
// person alone may do (signing) goes through that person's session both times.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {sql} from '../lib/sabotage.mjs';
import {Staff, date, digest} from '../lib/staff.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, staff, ann, bob;
const factors = {factors: ['card', 'code', 'fingerprint']};
const instant = hours => new Date(Date.now() + hours * 3600e3).toISOString().slice(0, 19) + 'Z';

const cliRun = (...args) => staff.register(...args);
const words = fields => Object.entries(fields).map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`);

const cli = {
  name: 'cli',
  make: (register, fields) => cliRun('new', register, ...words(fields)),
  edit: (register, id, fields) => cliRun('edit', register, id, ...words(fields)),
  move: (register, id, move, fields = {}, reason) =>
    cliRun('move', register, id, move, ...(reason ? [`reason=${reason}`] : []), ...words(fields)),
  list: (register, filter = {}) => cliRun('list', register)
    .then(all => all.filter(one => Object.entries(filter).every(([k, v]) => one[k] === v))),
  show: (register, id) => cliRun('show', register, id),
};

const ask = (...args) => staff.ask(...args);

const through = person => ({
  name: 'api',
  make: (register, fields) => ask(person, 'POST', `/${register}`, fields),
  edit: (register, id, fields) => ask(person, 'PUT', `/${register}/${id}`, fields),
  move: (register, id, move, fields = {}, reason) => ask(person, 'POST', `/${register}/${id}/move`, {move, fields, ...(reason ? {reason} : {})}),
  list: (register, filter = {}) => ask(person, 'GET', `/${register}?range=[0,199]&filter=${encodeURIComponent(JSON.stringify(filter))}`),
  show: (register, id) => ask(person, 'GET', `/${register}/${id}`),
});

before(async () => {
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\nwatch:\n  domains: [moncoffre.fr]\n`});
  staff = new Staff(stack);
  ann = await staff.first('Ann');
});
after(() => stack?.stop());

const refused = (promise, what) => assert.rejects(promise, what);

/*= S9 type=test */
test('the first administrator comes in unchecked, nobody after: not by a change of role, an invitation, an enrolment, an import', async () => {
  const log = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000', '--json')).stdout;
  await until('the event', async () => (await log()).includes('operator.unchecked'));
  const tenant = await staff.mainTenant();
  bob = await staff.hire('Bob', 'bob@example.com');
  await staff.onboard(bob, ['compliance']);
  const agency = await staff.supplier('First check', ann, bob);
  const isRefused = ({code, stdout, stderr}) => { assert.notEqual(code, 0); assert.match(stdout + stderr, /S9/); };
  isRefused(await staff.changeRole(bob, 'operator'));
  isRefused(await stack.rempart('person', 'invite', 'max@example.com', '--tenant', tenant, '--role', 'operator'));
  const {id: eve} = await staff.make('persons', {name: 'Eve', kind: 'employee', start: date(-9)});
  isRefused(await stack.rempart('person', 'invite', 'eve@example.com', '--tenant', tenant, '--role', 'operator', '--record', eve));
  fs.writeFileSync(stack.file('people.csv'), 'email,role\nmia@example.com,operator\n');
  isRefused(await stack.rempart('person', 'import', stack.file('people.csv'), '--tenant', tenant));
  await until('the refusals', async () => (await log()).split('operator · S9').length > 3);
  // The record is not tied to an account that was refused, and no account is another's.
  assert.equal((await staff.register('show', 'persons', eve)).account, undefined);
  const taken = await stack.rempart('person', 'invite', 'eve@example.com', '--tenant', tenant, '--record', bob.record);
  assert.notEqual(taken.code, 0);
  // Checked: the same ways are open.
  await staff.check(bob, agency, ann);
  await staff.operate(bob);
  await staff.ownerMoves('persons', eve, 'begin');
  await staff.check({record: eve}, agency, bob);
  const invited = await stack.rempart('person', 'invite', 'eve@example.com', '--tenant', tenant, '--role', 'operator', '--record', eve, '--json');
  assert.equal(invited.code, 0, invited.stderr);
  // Between the invitation and the enrolment the check is lost: the link opens nothing.
  const check = await staff.one('background-checks', {person: eve});
  const file = stack.file('db/system.db');
  await sql(file, `UPDATE register_record SET state = 'failed' WHERE id = x'${check.id}'`);
  await assert.rejects(stack.enrol(JSON.parse(invited.stdout).link), /S9/);
  await sql(file, `UPDATE register_record SET state = 'cleared' WHERE id = x'${check.id}'`);
  await stack.enrol(JSON.parse(invited.stdout).link);
  assert.equal(await sql(file, 'SELECT count(*) FROM membership WHERE (roles & 4) <> 0'), '3');
});

// A story through both doors. `door` acts; ann and bob sign.
function story(name, tell) {
  for (const kind of ['api', 'cli']) {
    test(`${name} (${kind})`, () => tell(kind === 'api' ? through(ann) : cli, kind));
  }
}

async function activeSupplier(door, name, more = {}) {
  const risk = await door.make('risks', {scenario: `${name} stops`, owner: ann.record});
  const supplier = await door.make('suppliers', {name, tier: 'two', service: 'background checks'});
  await refused(door.move('suppliers', supplier.id, 'activate'), /./);
  await through(ann).move('suppliers', supplier.id, 'assess', {questionnaire: digest, score: 80, risk: risk.id});
  await refused(through(ann).move('suppliers', supplier.id, 'approve'), /four eyes/);
  await through(bob).move('suppliers', supplier.id, 'approve');
  await refused(door.move('suppliers', supplier.id, 'activate', {contract: digest, clause_confidentiality: true}), /clause/);
  return door.move('suppliers', supplier.id, 'activate', {contract: digest, clause_confidentiality: true,
    clause_availability: true, clause_integrity: true, ...more});
}

/*= S165, S166, S167, S168 type=test */
story('supplier, questionnaire, contract, active, review due', async (door, kind) => {
  const supplier = await activeSupplier(door, `Host ${kind}`);
  assert.equal(supplier.state, 'active');
  // A year passes for this clock alone (a step is eight bytes of time, its kind, its index): the
  // deadline itself moves the supplier.
  await sql(stack.file('db/system.db'), `UPDATE clock SET due_ms = 1, next = 0, next_ms = 1, steps = x'01000000000000000100'
    WHERE subject = x'${supplier.id}' AND name = 'review'`);
  await until('review due', async () => (await door.show('suppliers', supplier.id)).state === 'review_due', {seconds: 5});
  const again = kind === 'api' ? door : through(ann);
  assert.equal((await again.move('suppliers', supplier.id, 'reassess', {score: 85})).state, 'active');
});

/*= S6, S8, S9, S10, S12 type=test */
story('hire, check, sign, train, role', async (door, kind) => {
  const agency = await activeSupplier(door, `Check ${kind}`);
  const eve = await staff.hire('Eve', `eve-${kind}@example.com`);
  const person = {id: eve.record};
  await door.move('persons', person.id, 'begin');
  await refused(door.move('persons', person.id, 'activate'), /S10/);
  await refused(door.edit('persons', person.id, {roles: ['security']}), /S9/);
  const [check] = await door.list('background-checks', {person: person.id});
  await refused(door.move('background-checks', check.id, 'submit'), /./);
  await door.move('background-checks', check.id, 'start', {agency: agency.id});
  await refused(door.move('background-checks', check.id, 'submit', {identity_result: 'confirmed'}), /needed/);
  await door.move('background-checks', check.id, 'submit', {identity_result: 'confirmed', identity_on: date(-1), record_seen: true,
    record_seen_on: date(-1), record_seen_by: ann.record, employment_result: 'none', employment_on: date(-1),
    education_result: 'confirmed', education_on: date(-1), report_sha256: digest});
  await through(bob).move('background-checks', check.id, 'clear');
  const toSign = await door.list('acknowledgements', {person: person.id});
  assert.deepEqual(toSign.map(one => one.kind).sort(), ['aup', 'nda']);
  await refused(through(ann).move('acknowledgements', toSign[0].id, 'sign'), /403/);
  for (const one of toSign) await through(eve).move('acknowledgements', one.id, 'sign');
  const [course] = await door.list('training', {person: person.id});
  await refused(door.move('training', course.id, 'pass', {score: 60, pass_mark: 80}), /./);
  await door.move('training', course.id, 'pass', {score: 95, pass_mark: 80});
  await door.move('persons', person.id, 'activate');
  assert.deepEqual((await door.edit('persons', person.id, {roles: ['security']})).roles ?? ['security'], ['security']);
  assert.deepEqual((await door.show('persons', person.id)).roles, ['security']);
});

/*= S26 type=test */
story('a visitor has a host, a day, and leaves the card', async (door, kind) => {
  const card = {card_number: `V-${kind}`, holder_kind: 'visitor', visitor: 'Jo', purpose: 'visit', zones: ['lobby'],
    valid_from: date(0), valid_to: date(1)};
  await refused(door.make('cards', card), /./);
  await refused(door.make('cards', {...card, host: ann.record, valid_to: date(30)}), /./);
  await refused(door.make('cards', {...card, host: ann.record, zones: ['datacentre']}), /./);
  const made = await door.make('cards', {...card, host: ann.record});
  await door.move('cards', made.id, 'activate');
  assert.equal((await door.move('cards', made.id, 'return')).state, 'returned');
});

/*= S31 type=test */
story('a data-centre ticket opens one window', async door => {
  const ticket = await door.make('dc-tickets', {person: ann.record, site: 'P1', purpose: 'disk', window_from: instant(-1), window_to: instant(2)});
  await refused(door.move('dc-tickets', ticket.id, 'enter', factors), /S31/);
  await refused(through(ann).move('dc-tickets', ticket.id, 'approve'), /four eyes/);
  await through(bob).move('dc-tickets', ticket.id, 'approve');
  await door.move('dc-tickets', ticket.id, 'enter', factors);
  assert.equal((await door.move('dc-tickets', ticket.id, 'leave')).state, 'closed');
  const late = await door.make('dc-tickets', {person: ann.record, site: 'P1', purpose: 'disk', window_from: instant(5), window_to: instant(6)});
  await through(bob).move('dc-tickets', late.id, 'approve');
  await refused(door.move('dc-tickets', late.id, 'enter', factors), /S31/);
});

/*= S5, S10 type=test */
story('a policy is approved by another, published, due of everybody in post, acknowledged, and replaced', async (door, kind) => {
  const policy = await through(ann).make('documents', {name: `Security ${kind}`, kind: 'policy', theme: 'security', edition: '1'});
  await refused(door.move('documents', policy.id, 'submit'), /needed/);
  await door.move('documents', policy.id, 'submit', {file_sha256: digest});
  await refused(through(ann).move('documents', policy.id, 'approve'), /four eyes/);
  await through(bob).move('documents', policy.id, 'approve');
  await refused(door.edit('documents', policy.id, {edition: '2'}), /locked/);
  await door.move('documents', policy.id, 'publish');
  // Nobody asks for signatures: whoever works here has one to give, with a deadline, and no other has.
  const inPost = (await door.list('persons')).filter(one => ['active', 'onboarding'].includes(one.state)).map(one => one.id);
  assert.ok(inPost.includes(bob.record) && inPost.length >= 2 && !inPost.includes(ann.record));
  const asked = await door.list('acknowledgements', {document: policy.id});
  assert.deepEqual(asked.map(one => one.person).sort(), inPost.sort());
  const ack = await door.show('acknowledgements', asked.find(one => one.person === bob.record).id);
  assert.deepEqual([ack.state, ack.kind, ack.deadlines[0].id], ['due', 'policy', 'sign']);
  const days = (Date.parse(ack.deadlines[0].due_at) - Date.now()) / 86400e3;
  assert.ok(days > 29.9 && days < 30.1, ack.deadlines[0].due_at);
  const signed = await through(bob).move('acknowledgements', ack.id, 'sign');
  assert.equal(signed.signed_by, bob.record);
  const {changes} = await ask(bob, 'GET', `/acknowledgements/${ack.id}/history`);
  assert.equal(changes.at(-1).signature, 'second factor');
  // The next edition takes its place: who had not signed the old one signs the new one alone.
  const next = await through(ann).make('documents', {name: `Security ${kind}`, kind: 'policy', theme: 'security', edition: '2', replaces: policy.id});
  await door.move('documents', next.id, 'submit', {file_sha256: digest});
  await through(bob).move('documents', next.id, 'approve');
  await door.move('documents', next.id, 'publish');
  assert.equal((await door.show('documents', policy.id)).state, 'superseded');
  const before = await door.list('acknowledgements', {document: policy.id});
  assert.deepEqual([...new Set(before.map(one => `${one.person === bob.record} ${one.state}`))].sort(), ['false superseded', 'true signed']);
  assert.equal((await door.list('acknowledgements', {document: next.id})).filter(one => one.state === 'due').length, inPost.length);
  // The person themself is reminded, and nobody else.
  const own = (await door.list('acknowledgements', {document: next.id})).find(one => one.person === bob.record), file = stack.file('db/system.db');
  const told = () => sql(file, "SELECT count(*) FROM notice WHERE kind = 'deadline' AND channel = 'inbox'");
  const already = Number(await told());
  await sql(file, `UPDATE clock SET next = 0, next_ms = 1, steps = x'01000000000000000000' WHERE subject = x'${own.id}' AND name = 'sign'`);
  await until('the reminder', async () => Number(await told()) === already + 1);
});

/*= S19 type=test */
story('an audit closes when its findings are acted on', async door => {
  const audit = await door.make('audits', {scope: 'Suppliers', kind: 'internal', auditor: 'Ann', planned_on: date(3)});
  await door.move('audits', audit.id, 'start');
  await door.move('audits', audit.id, 'report', {report: digest});
  const finding = await door.make('findings', {summary: 'A clause is missing', severity: 'minor', audit: audit.id, owner: ann.record, due_on: date(30)});
  assert.equal((await door.show('audits', audit.id)).open_findings, 1);
  await refused(door.move('audits', audit.id, 'close'), /./);
  await door.move('findings', finding.id, 'act', {cause: 'old model', action: 'new model'});
  await door.move('findings', finding.id, 'done', {evidence: digest});
  await refused(through(ann).move('findings', finding.id, 'close', {probe: 'supplier.assessed'}), /four eyes/);
  await through(bob).move('findings', finding.id, 'close', {probe: 'supplier.assessed'});
  assert.equal((await door.show('audits', audit.id)).open_findings, 0);
  assert.equal((await door.move('audits', audit.id, 'close')).state, 'closed');
});

/*= S41 type=test */
story('a firewall change is read by somebody else', async door => {
  const change = await through(ann).make('firewall-changes', {summary: 'opens 8443', host: 'gw', diff: '+ 8443', ruleset_after: digest});
  await refused(through(ann).move('firewall-changes', change.id, 'review', {justification: 'demo'}), /four eyes/);
  const seen = await door.show('firewall-changes', change.id);
  assert.equal(seen.deadlines[0].id, 'review');
  await through(bob).move('firewall-changes', change.id, 'review', {justification: 'demo'});
  await refused(door.edit('firewall-changes', change.id, {diff: '- 8443'}), /locked/);
});

/*= S4 type=test */
story('a risk is treated, accepted for a while, and comes back', async door => {
  const risk = await through(ann).make('risks', {scenario: 'The host stops', owner: ann.record});
  await refused(door.move('risks', risk.id, 'assess', {inherent_impact: 6, inherent_likelihood: 2}), /from 1 to 5/);
  await door.move('risks', risk.id, 'assess', {inherent_impact: 5, inherent_likelihood: 2});
  assert.equal((await door.show('risks', risk.id)).inherent, 10);
  await door.move('risks', risk.id, 'treat', {treatment: 'reduce', measures: 'copies', residual_impact: 3, residual_likelihood: 2});
  await refused(through(bob).move('risks', risk.id, 'accept', {accepted_until: date(500)}), /./);
  await refused(through(ann).move('risks', risk.id, 'accept', {accepted_until: date(30)}), /four eyes/);
  await through(bob).move('risks', risk.id, 'accept', {accepted_until: date(30)});
  // The acceptance ends: its date passes, and the deadline takes the risk back.
  await door.edit('risks', risk.id, {accepted_until: date(-2)});
  await until('assessed again', async () => (await door.show('risks', risk.id)).state === 'assessed', {seconds: 5});
});

test('a clock that was altered in the file keeps no other from ringing, and is an event', async () => {
  const [broken, next] = [await cli.make('isms', {subject: 'x', kind: 'issue'}), await cli.make('dc-tickets',
    {person: bob.record, site: 'P1', purpose: 'disk', window_from: instant(1), window_to: instant(2)})];
  const file = stack.file('db/system.db');
  await sql(file, `INSERT INTO clock VALUES (x'${broken.id}', 'review', 1, 1, 0, x'ff', 0, 0, 1, NULL)`);
  const certificate = await cli.make('certificates', {name: 'Old', scope: 'all', issuer: 'X', file_sha256: digest,
    issued_on: '2024-01-01', expires_on: '2025-01-01'});
  await until('expired', async () => (await cli.show('certificates', certificate.id)).state === 'expired', {seconds: 5});
  await until('the event', async () => { const {stdout} = await stack.rempart('ledger', 'tail', 'operator', '-n', '1000', '--json'); return stdout.includes('"register":"clock"'); });
  assert.equal((await cli.show('dc-tickets', next.id)).state, 'requested');
});

test('a deadline is held for a reason, shown and kept in the history, and goes on', async () => {
  const risk = await cli.make('risks', {scenario: 'held', owner: ann.record, reviewed_on: date(-10)});
  const clock = async () => (await cli.show('risks', risk.id)).deadlines.find(one => one.id === 'review');
  const before = await clock();
  assert.equal((await stack.rempart('register', 'hold', 'risks', risk.id, 'review', 'the owner is ill')).code, 0);
  assert.deepEqual([(await clock()).paused, (await clock()).reason], [true, 'the owner is ill']);
  assert.notEqual((await stack.rempart('register', 'hold', 'risks', risk.id, 'review', 'twice')).code, 0);
  await refused(ask(ann, 'POST', `/risks/${risk.id}/deadlines`, {deadline: 'nothing', hold: 'x'}), /404/);
  await ask(ann, 'POST', `/risks/${risk.id}/deadlines`, {deadline: 'review', hold: null});
  const after = await clock();
  assert.equal(after.paused, false);
  assert.ok(after.due_at >= before.due_at);
  const {changes} = await ask(ann, 'GET', `/risks/${risk.id}/history`);
  assert.deepEqual(changes.slice(-2).map(one => one.clock), ['review held', 'review going on']);
  const legal = await cli.make('requests', {reference: 'D-1', right: 'access', scope: 'all', received_on: date(0)});
  assert.match((await stack.rempart('register', 'hold', 'requests', legal.id, 'answer', 'later')).stderr, /legal/);
});

test('a deadline that fires is told to whoever it names, once', async () => {
  // Nobody has the role: who made the record is told. Ann is of the persons register but not active yet.
  const rows = () => sql(stack.file('db/system.db'), "SELECT count(*) FROM notice WHERE kind = 'deadline'");
  const before = Number(await rows());
  assert.ok((await cli.list('persons')).some(one => one.state === 'active' && one.roles.includes('security')));
  // An escalation to security: a triage that is late.
  await cli.make('alerts', {rule: 'late', kind: 'alert', severity: 'high', raised_at: instant(-2)});
  await until('the notices', async () => Number(await rows()) >= before + 2);
  const channels = await sql(stack.file('db/system.db'), "SELECT group_concat(DISTINCT channel) FROM notice WHERE kind = 'deadline'");
  assert.deepEqual(channels.split(',').sort(), ['inbox', 'mail']);
  const told = await sql(stack.file('db/system.db'), "SELECT count(DISTINCT lower(hex(person))) FROM notice WHERE kind = 'deadline'");
  assert.ok(Number(told) >= 1);
  const clear = await sql(stack.file('db/system.db'), "SELECT count(*) FROM notice WHERE kind = 'deadline' AND sealed LIKE '%Alert%'");
  assert.equal(clear, '0', 'what it says is sealed');
});

/*= S176 type=test */
test('who has the role of security is told of a look-alike, once; what was taken down and is seen again is opened again', async () => {
  const rows = () => sql(stack.file('db/system.db'), "SELECT count(*) FROM notice WHERE kind = 'lookalike' AND channel = 'mail'"); // a canary has no mail
  const holders = (await cli.list('persons')).filter(one => one.state === 'active' && one.roles.includes('security')).length;
  const look = async name => JSON.parse((await stack.rempart('domain', 'look', name, '--json')).stdout);
  assert.equal((await look('moncoffre-login.com')).what, 'new');
  assert.equal(await rows(), String(holders));
  assert.equal((await look('www.moncoffre-login.com')).what, 'known');
  assert.equal(await rows(), String(holders));
  const {id} = await staff.one('lookalikes', {name: 'moncoffre-login.com'});
  await refused(cli.move('lookalikes', id, 'report'), /judgement|reported_to/);
  await cli.move('lookalikes', id, 'report', {judgement: 'a copy of our sign-in page', reported_to: 'its registrar'});
  await cli.move('lookalikes', id, 'take_down');
  const again = await look('moncoffre-login.com');
  assert.deepEqual([again.what, again.state, again.record], ['again', 'new', id]);
  assert.equal((await cli.show('lookalikes', id)).gone_at ?? null, null);
  assert.equal(await rows(), String(2 * holders));
  await cli.move('lookalikes', id, 'dismiss', {judgement: 'a reseller of ours'});
  assert.equal((await look('moncoffre-login.com')).what, 'known');
});

test('reminders wait for their hour and are one mail; what is overdue is not kept back', async () => {
  const server = await Smtp.start(), file = stack.file('db/system.db');
  try {
    const hour = new Date(Date.now() + 12 * 3600e3).toLocaleTimeString('fr-FR', {timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit'});
    fs.writeFileSync(stack.file('rempart.yaml'), `${stack.defaultConfig()}smtp:\n  url: smtp://127.0.0.1:${server.port}\n  from: rempart@example.com\nnotify:\n  digest: "${hour}"\n  quiet: "22:00-07:00"\n`);
    await stack.down();
    await stack.up();
    const told = () => server.mails.filter(mail => mail.to.includes('bob@example.com')).map(mail => readMail(mail.text))
      .filter(mail => /deadline|review/i.test(mail.heads.subject));
    await cli.edit('persons', bob.record, {roles: ['compliance', 'manager']});
    // Two reviews are reminded of and one is overdue (a step is eight bytes of time, its kind, its index).
    const active = (await cli.list('suppliers')).filter(one => one.state === 'active');
    assert.ok(active.length >= 3);
    for (const [at, kind] of [[0, '00'], [1, '00'], [2, '02']]) {
      await sql(file, `UPDATE clock SET next = 0, next_ms = 1, steps = x'0100000000000000${kind}00' WHERE subject = x'${active[at].id}' AND name = 'review'`);
    }
    const kept = () => sql(file, "SELECT count(*) FROM notice WHERE gather = 1 AND state = 'waiting' AND next_ms > 1");
    await until('two that wait', async () => await kept() === '2');
    await until('the overdue one', () => told().length === 1);
    await sql(file, 'UPDATE notice SET next_ms = 1 WHERE gather = 1');
    await until('one mail of both', () => told().some(mail => /^2 deadlines/.test(mail.heads.subject)));
    assert.equal(told().length, 2);
    await until('both are sent', async () => await sql(file, "SELECT count(*) FROM notice WHERE gather = 1 AND state = 'sent'") === '2');
    // A third one waits for the digest until Bob wants none: it goes at once, alone.
    await sql(file, `UPDATE clock SET next = 0, next_ms = 1, steps = x'01000000000000000000' WHERE subject = x'${active[2].id}' AND name = 'review'`);
    await until('a third that waits', async () => await kept() === '1');
    const chosen = await stack.rempart('person', 'reminders', 'bob@example.com', '--tenant', await staff.mainTenant(), '--digest', 'none', '--quiet', 'none', '--json');
    assert.equal(chosen.code, 0, chosen.stderr);
    assert.deepEqual(JSON.parse(chosen.stdout).in_force, {digest: '', quiet: ''});
    await until('the third', () => told().length === 3);
    const bad = await stack.rempart('person', 'reminders', 'bob@example.com', '--tenant', await staff.mainTenant(), '--quiet', '25:00-07:00');
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /two times like 22:00-07:00/);
  } finally {
    await server.stop();
  }
});

test('the example company fills every register, proves nothing, and goes without a trace', async () => {
  const before = await cliRun('list', 'suppliers');
  const {stdout, code, stderr} = await stack.rempart('register', 'example', 'load');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\d+ records of a fictitious company/);
  const all = await cliRun('list');
  for (const register of all) {
    assert.ok((await cliRun('list', register.id)).some(one => one.example), `${register.id} teaches nothing`);
  }
  await until('a review that came due', async () => (await cliRun('list', 'suppliers')).some(one => one.example && one.state === 'review_due'));
  assert.equal((await stack.rempart('register', 'example', 'load')).code, 2, 'twice is refused');
  const staffed = async () => (await stack.probe('dedicated-teams')).parts.find(one => one.probe === 'teams.staffed');
  assert.match((await staffed()).detail, /example/);
  assert.equal((await staffed()).status, 'not-met');
  // What is real does not lean on it, and nobody signs in as somebody of it.
  const [lumen] = (await cliRun('list', 'persons')).filter(one => one.example);
  await refused(cli.make('risks', {scenario: 'x', owner: lumen.id}), /do not mix/);
  await refused(cli.edit('persons', lumen.id, {account: '0'.repeat(31) + '1'}), /account|denied/);
  const gone = await stack.rempart('register', 'example', 'remove');
  assert.equal(gone.code, 0, gone.stderr);
  assert.deepEqual((await cliRun('list', 'suppliers')).map(one => one.id), before.map(one => one.id));
  for (const table of ['register_value', 'register_change']) {
    assert.equal(await sql(stack.file('db/system.db'), `SELECT count(*) FROM ${table} WHERE record NOT IN (SELECT row FROM register_record)`), '0');
  }
  assert.equal(await sql(stack.file('db/system.db'), 'SELECT count(*) FROM clock WHERE subject NOT IN (SELECT id FROM register_record)'), '0');
});
