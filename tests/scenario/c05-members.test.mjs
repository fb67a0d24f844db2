// An organisation's administrator and their people: invited by mail, given roles, removed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, server, tenant, other, ann, lea;
// All of them sign in from one address, one after the other: more of it than the limit lets through.
const config = port => `host: localhost\ngate:\n  listen: ${port}\nlimits: {sign_in_per_second: 1000}\nsmtp:\n  url: smtp://127.0.0.1:${server.port}\n` +
  '  from: rempart@example.com\napps:\n  - name: notes\n    upstream: unix:run/notes.sock\n    sign_in: required\n';
const invited = async (email, where, ...more) => {
  const {stdout, stderr, code} = await stack.rempart('person', 'invite', email, '--tenant', where, ...more);
  assert.equal(code, 0, stderr);
  return stack.enrol(stdout.trim());
};
before(async () => {
  server = await Smtp.start();
  stack = await Stack.start({config});
  tenant = (await stack.rempart('tenant', 'create', 'Acme')).stdout.trim();
  other = (await stack.rempart('tenant', 'create', 'Globex')).stdout.trim();
  ann = await invited('ann@example.com', tenant, '--role', 'admin');
});
after(async () => {
  await stack?.stop();
  await server?.stop();
});

const isIn = async client => (await client.get('/.rempart/id/account')).status === 200;
const people = async (where = tenant) => JSON.parse((await stack.rempart('person', 'list', '--tenant', where, '--json')).stdout).people;
const idOf = async email => (await people()).find(one => one.email === email)?.id;
const members = (person = ann) => person.get('/.rempart/id/members');
const send = async (person, fields) => {
  const {fields: {form}} = (await members(ann)).form('members');
  const own = person === ann ? form : /name="form" value="([^"]*)"/.exec((await person.get('/.rempart/id/sessions')).text)[1];
  return person.post('/.rempart/id/members', {form: own, ...fields});
};
const log = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

test('an administrator invites by mail, and never sees the link', async () => {
  const page = await members();
  assert.equal(page.status, 200);
  const done = await ann.submit(page, {email: 'lea@example.com', role: 'member', do: 'invite'}, {action: 'members'});
  assert.match(done.text, /goes out by mail/);
  assert.ok(!done.text.includes('token='));
  assert.match(done.text, /lea@example\.com[\s\S]*link is valid until/);
  const mail = await until('the mail', () => server.mails.find(one => one.to.includes('lea@example.com')));
  lea = await stack.enrol(/https:\/\/\S+/.exec(readMail(mail.text).body)[0]);
  assert.ok(await isIn(lea));
  assert.match((await members()).text, /lea@example\.com[\s\S]*Access created on/);
});

test('what is no address, and who is there already, is said', async () => {
  for (const [email, words] of [['nonsense@', /does not look like/], ['lea@example.com', /has access already/]]) {
    assert.match((await send(ann, {email, role: 'member', do: 'invite'})).text, words);
  }
});

/*= S105 type=test */
test('a member sees and changes nobody, nor does the administrator of another organisation', async () => {
  assert.equal((await members(lea)).status, 403);
  const id = await idOf('ann@example.com');
  assert.equal((await send(lea, {person: id, do: 'remove'})).status, 403);
  const stranger = await invited('eve@example.com', other, '--role', 'admin');
  const theirs = (await members(stranger)).text;
  assert.ok(theirs.includes('eve@example.com') && !theirs.includes('ann@example.com'));
  const {fields: {form}} = (await members(stranger)).form('members');
  const tried = await stranger.post('/.rempart/id/members', {form, person: id, do: 'remove'});
  assert.match(tried.text, /not in the organisation/);
  assert.ok(await isIn(ann));
});

/*= S105 type=test */
test('nobody makes an operator of anybody from this page', async () => {
  assert.match((await send(ann, {person: await idOf('lea@example.com'), role: 'operator', do: 'role'})).text, /cannot give or take/);
  assert.match((await send(ann, {email: 'max@example.com', role: 'operator', do: 'invite'})).text, /cannot give or take/);
  assert.equal((await people()).find(one => one.email === 'lea@example.com').role, 'member');
});

test('the last administrator stays', async () => {
  const id = await idOf('ann@example.com');
  assert.match((await send(ann, {person: id, role: 'member', do: 'role'})).text, /last administrator/);
  assert.match((await send(ann, {person: id, do: 'remove'})).text, /last administrator/);
  const cli = await stack.rempart('person', 'remove', 'ann@example.com', '--tenant', tenant);
  assert.notEqual(cli.code, 0);
  assert.match(cli.stderr, /last administrator/);
  assert.ok(await isIn(ann));
});

/*= S175 type=test */
test('a new role ends the sessions that had the former one, at the gate too', async () => {
  assert.equal((await lea.get('/')).status, 200);
  const done = await send(ann, {person: await idOf('lea@example.com'), role: 'admin', do: 'role'});
  assert.match(done.text, /role is changed/);
  assert.equal(await isIn(lea), false);
  assert.notEqual((await lea.get('/')).status, 200);
  await lea.signIn();
  assert.equal((await members(lea)).status, 200);
  await until('the event', async () => (await log()).includes('role.changed'));
});

/*= S175 type=test */
test('removed: no session, no sign-in, nothing left in the database, and the address is free again', async () => {
  const id = await idOf('lea@example.com');
  assert.match((await send(ann, {person: id, do: 'remove'})).text, /access is gone/);
  assert.equal(await isIn(lea), false);
  await lea.signIn();
  assert.equal(await isIn(lea), false);
  assert.equal(await idOf('lea@example.com'), undefined);
  await until('the event', async () => (await log()).includes('member.removed'));
  lea = await invited('lea@example.com', tenant);
  assert.ok(await isIn(lea));
});

/*= S66 type=test */
test('one person in two organisations: joined by the link, in one of them at a time', async () => {
  const notes = async () => (await ann.get('/')).text;
  assert.match((await ann.submit(await ann.get('/'), {text: 'for Acme only'}, {action: 'notes'})).text, /for Acme only/);
  const invitation = (await stack.rempart('person', 'invite', 'ann@example.com', '--tenant', other)).stdout.trim();
  const url = new URL(invitation);
  const stranger = await stack.client().get(url.pathname + url.search);
  assert.match(stranger.text, /Sign in with this address first/);
  assert.ok(!stranger.text.includes('data-seed'));
  const asked = await ann.get(url.pathname + url.search);
  assert.match(asked.text, /join “Globex” with the address ann@example\.com/);
  const before = ann.cookies['__Host-rempart'];
  const joined = await ann.submit(asked, {}, {action: 'join'});
  assert.match(joined.text, /You have joined[\s\S]*Globex/);
  assert.notEqual(ann.cookies['__Host-rempart'], before);
  assert.equal((await members(ann)).status, 403); /* a member there, no administrator */
  assert.ok(!(await notes()).includes('for Acme only'));
  assert.equal((await ann.get(url.pathname + url.search)).status, 410);

  const choice = await ann.get('/.rempart/id/organisation?next=/');
  const back = await ann.submit(choice, {tenant}, {action: 'organisation'});
  assert.match(back.text, /for Acme only/);
  assert.equal((await members(ann)).status, 200);
  const foreign = await ann.submit(choice, {tenant: '00000000-0000-7000-8000-000000000000', form: (await ann.get('/.rempart/id/organisation')).form('organisation').fields.form}, {action: 'organisation'});
  assert.equal(foreign.status, 404);
  await until('the event', async () => (await log()).includes('person.joined'));
});

test('who has two organisations chooses after the sign-in', async () => {
  const again = stack.client();
  Object.assign(again, {email: ann.email, password: ann.password, seed: ann.seed, lastStep: ann.lastStep});
  const page = await again.signIn({next: '/'});
  assert.match(page.text, /Which organisation\?[\s\S]*Acme[\s\S]*you are here[\s\S]*Globex/);
  assert.match((await again.submit(page, {tenant}, {action: 'organisation'})).text, /for Acme only/);
  ann.lastStep = again.lastStep;
});

test('an invitation is withdrawn, and its link opens nothing', async () => {
  const {stdout} = await stack.rempart('person', 'invite', 'max@example.com', '--tenant', tenant);
  const page = await members();
  assert.match(page.text, /max@example\.com/);
  await send(ann, {person: await idOf('max@example.com'), do: 'remove'});
  const url = new URL(stdout.trim());
  assert.equal((await stack.client().get(url.pathname + url.search)).status, 404);
});

test('the command line lists, changes and removes; wrong words are told', async () => {
  const role = await stack.rempart('person', 'role', 'lea@example.com', 'admin', '--tenant', tenant, '--json');
  assert.equal(JSON.parse(role.stdout).role, 'admin');
  const wrong = await stack.rempart('person', 'role', 'lea@example.com', 'king', '--tenant', tenant);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /member, admin, operator/);
  for (const [words, told] of [[['tenant', 'create', 'x'.repeat(200)], /name: 1 to 128 bytes/], [['tenant', 'create', '\u202eACME'], /name: .*marks of direction/],
    [['person', 'invite', 'no address', '--tenant', tenant], /email: an address such as/]]) {
    const {code, stderr} = await stack.rempart(...words);
    assert.deepEqual([code, told.test(stderr)], [2, true], stderr);
  }
  assert.notEqual((await stack.rempart('person', 'remove', 'nobody@example.com', '--tenant', tenant)).code, 0);
  const link = (await stack.rempart('person', 'invite', 'zoe@example.com', '--tenant', tenant)).stdout.trim();
  const raised = await stack.rempart('person', 'role', 'zoe@example.com', 'admin', '--tenant', tenant);
  assert.equal(raised.code, 2);
  assert.match(raised.stderr, /only invited/);
  assert.equal((await stack.rempart('person', 'remove', 'zoe@example.com', '--tenant', tenant)).code, 0, 'an invitation goes by its address');
  assert.notEqual((await stack.client().get(link)).status, 200);
  assert.equal((await stack.rempart('person', 'remove', 'lea@example.com', '--tenant', tenant)).code, 0);
  const {stdout} = await stack.rempart('person', 'list', '--tenant', tenant);
  assert.match(stdout, /admin +enrolled +ann@example\.com/);
  assert.ok(!stdout.includes('lea@'));
});

/*= S170 type=test */
test('people of another system sign in with the password they had there, which is then kept as argon2id', async () => {
  const word = 'correct horse battery staple', seed = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
  const file = stack.file('people.csv');
  const hash = '$2y$10$Rk7L9HJ8QZj6dFEAHjfAZuJlnB9cSzBkzxN0DM3k8CZUAvOLUgl/O'; // php: password_hash
  fs.writeFileSync(file, `email;role;password;totp\nzoe@example.com;member;${hash};${seed}\nyan@example.com;;;\nmax;;;\n`);
  const import_ = (...more) => stack.rempart('person', 'import', file, '--tenant', tenant, ...more);
  const refused = await import_();
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /line 4, column 1: this is no address\nnothing changed: 1 taken over .*, 1 invited, 1 refused/);
  assert.equal(await idOf('zoe@example.com'), undefined);
  assert.match((await import_('--dry-run', '--skip-bad')).stdout, /nothing changed: 1 taken over/);
  assert.equal(await idOf('zoe@example.com'), undefined);
  const done = JSON.parse((await import_('--skip-bad', '--json')).stdout);
  assert.deepEqual([done.applied, done.imported, done.invited, done.refused], [true, 1, 1, 1]);
  assert.equal(done.lines[1].link, undefined); // it goes by mail
  await until('the invitation', () => server.mails.find(one => one.to.includes('yan@example.com')));

  const zoe = stack.client();
  assert.equal((await zoe.signIn({email: 'zoe@example.com', password: 'wrong horse', seed})).text.includes('name="code"'), false);
  await zoe.signIn({email: 'zoe@example.com', password: word, seed});
  assert.ok(await isIn(zoe));
  const events = () => log();
  await until('the event', async () => /password\.renewed.*bcrypt/.test(await events()));
  await zoe.signIn({email: 'zoe@example.com', password: word, seed});
  assert.ok(await isIn(zoe));
  assert.equal((await events()).match(/password\.renewed/g).length, 1);
  for (const name of fs.readdirSync(stack.file('db')).filter(one => one.startsWith('system.db'))) {
    assert.ok(name.endsWith('-wal') || !fs.readFileSync(stack.file(`db/${name}`)).includes(seed), `${name} holds the seed`);
  }
});

test('a file that is none, and a question that is open, are told', async () => {
  const file = stack.file('bad.csv');
  fs.writeFileSync(file, 'email;phone\na@example.com;1\n');
  const bad = await stack.rempart('person', 'import', file, '--tenant', tenant);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /line 1.*phone/);
  fs.writeFileSync(file, '[{"email": "a@example.com"');
  assert.match((await stack.rempart('person', 'import', file, '--tenant', tenant)).stderr, /line 1/);
  const which = await stack.rempart('person', 'import', file);
  assert.equal(which.code, 2);
  assert.match(which.stderr, /which organisation\?/);
  assert.notEqual((await stack.rempart('person', 'import', stack.file('nowhere.csv'), '--tenant', tenant)).code, 0);
});
