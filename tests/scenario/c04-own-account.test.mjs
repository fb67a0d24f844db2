// A person's own account: a new password for who knows the present one, and recovery codes for who
// lost the authenticator.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Authenticator, addKey} from '../lib/authenticator.mjs';
import {Client} from '../lib/client.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {bin, run, Stack, until} from '../lib/stack.mjs';

const NEW = 'an entirely different horse 7';
const LEAKED = 'tulipes grises sous la pluie';
let stack, server, tenant, person, codes, folder, list;
before(async () => {
  server = await Smtp.start();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leaked-'));
  list = path.join(folder, 'pwned.txt');
  const sha1 = word => crypto.createHash('sha1').update(word).digest('hex').toUpperCase();
  fs.writeFileSync(list, ['password', 'azerty', LEAKED, 'letmein'].map(sha1).sort().map((hash, at) => `${hash}:${at + 1}\r\n`).join(''));
  // All of them sign in from one address, one after the other: more of it than the limit lets through.
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\nlimits: {sign_in_per_second: 1000}\nsmtp:\n  url: smtp://127.0.0.1:${server.port}\n` +
    `  from: rempart@example.com\nsign_in:\n  second_factor: optional\n  breached_list: ${list}\napps:\n  - name: notes\n    upstream: unix:run/notes.sock\n    sign_in: required\n`});
  await stack.firstAdministrator();
  tenant = (await stack.rempart('tenant', 'create', 'Acme')).stdout.trim();
  person = await invited('lea@example.com');
});
after(async () => {
  await stack?.stop();
  await server?.stop();
  fs.rmSync(folder, {recursive: true, force: true});
});

// A code counts once, so a story that needs another one begins with another person and not with a wait.
async function invited(email) {
  const {stdout} = await stack.rempart('person', 'invite', email, '--tenant', tenant);
  return stack.enrol(stdout.trim());
}
const isIn = async client => (await client.get('/.rempart/id/account')).status === 200;
const twin = () => Object.assign(new Client(stack), {email: person.email, password: person.password,
  seed: person.seed, lastStep: person.lastStep});
const log = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000', '--json')).stdout;
const letterAbout = words => until(`the letter "${words}"`, () =>
  server.mails.find(mail => mail.to.includes(person.email) && readMail(mail.text).body.replace(/\s+/g, ' ').includes(words)));

async function change(fields) {
  const page = await person.get('/.rempart/id/password');
  assert.equal(page.status, 200);
  return person.submit(page, {password: NEW, password_again: NEW, ...fields}, {action: 'password'});
}

test('/.well-known/change-password leads to the form', async () => {
  const answer = await person.get('/.well-known/change-password');
  assert.equal(answer.headers.location, '/.rempart/id/password');
  const stranger = await new Client(stack).get('/.rempart/id/password');
  assert.match(stranger.headers.location ?? '', /sign-in/);
});

test('the present password is asked for; a wrong one changes nothing and is an event', async () => {
  assert.match((await change({present: 'not this one at all'})).text, /present password is not right/);
  // At once: the log's end, which is what we look at, moves on.
  await until('the event', async () => (await log()).includes('own_password'));
  assert.match((await change({present: person.password, password: 'short', password_again: 'short'})).text, /too easy/);
  assert.match((await change({present: person.password, password_again: 'something else entirely'})).text, /differ/);
  const other = twin();
  assert.equal((await other.signIn()).status !== 403 && await isIn(other), true, 'the former password still signs in');
  person.lastStep = other.lastStep;
});

/*= S170 type=test */
test('a password of the list of leaked ones is refused, and told why', async () => {
  assert.match((await change({present: person.password, password: LEAKED, password_again: LEAKED})).text, /list of leaked passwords/);
  const config = path.join(folder, 'rempart.yaml');
  const check = async text => {
    fs.writeFileSync(list + '2', text);
    fs.writeFileSync(config, `host: localhost\nsign_in:\n  breached_list: ${list}2\n`);
    return stack.rempart('check', '--config', config);
  };
  assert.equal((await check(fs.readFileSync(list))).code, 0);
  const reversed = fs.readFileSync(list, 'utf8').trim().split('\r\n').reverse().join('\n');
  const wrong = await check(reversed);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /breached_list.*byte \d+.*order/);
  assert.match((await check('8846F7EAEE8FB117AD06BDD830B7586C:7\n')).stderr, /SHA-1/);
});

/*= S175 type=test */
test('with it the password changes: this session stays, every other one ends, and a letter says so', async () => {
  person = await invited('max@example.com');
  const other = twin();
  await other.signIn();
  person.lastStep = other.lastStep;
  assert.ok(await isIn(other));
  const done = await change({present: person.password});
  assert.match(done.text, /Your password is changed/);
  assert.ok(await isIn(person));
  assert.equal(await isIn(other), false);
  const former = twin();
  await former.signIn();
  assert.equal(await isIn(former), false, 'the former password is dead');
  person.password = NEW;
  await letterAbout('password of your access was changed');
});

test('ten recovery codes are made with a code of the application, and shown once', async () => {
  person = await invited('nina@example.com');
  const page = await person.get('/.rempart/id/recovery');
  assert.match(page.text, /no recovery codes/);
  const wrong = await person.submit(page, {code: '000000'}, {action: 'recovery'});
  assert.match(wrong.text, /not right/);
  const made = await person.submit(wrong, {code: await person.freshCode()}, {action: 'recovery'});
  codes = [...made.text.matchAll(/<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)].map(([, code]) => code);
  assert.equal(new Set(codes).size, 10, made.text);
  const again = await person.get('/.rempart/id/recovery');
  assert.match(again.text, /Codes left: 10 of ten/);
  for (const code of codes) assert.ok(!again.text.includes(code));
});

async function signInWith(code) {
  const client = twin();
  const page = await client.get('/.rempart/id/sign-in');
  const second = await client.submit(page, {email: person.email, password: person.password}, {action: 'sign-in'});
  const link = /href="([^"]*with=recovery[^"]*)"/.exec(second.text)[1].replaceAll('&amp;', '&');
  const form = await client.get(link);
  const answer = await client.submit(form, {code}, {action: 'code'});
  return {client, answer};
}

/*= S101 type=test */
test('one of them stands in for the application, once; the person is told', async () => {
  const typed = codes[3].toUpperCase().replace('-', ' ');
  const {client} = await signInWith(typed);
  assert.ok(await isIn(client));
  const twice = await signInWith(codes[3]);
  assert.match(twice.answer.text, /not right/);
  assert.match(twice.answer.text, /Recovery code/, 'the same form again');
  assert.equal(await isIn(twice.client), false);
  const guessed = await signInWith('aaaaa-aaaaa');
  assert.equal(await isIn(guessed.client), false);
  assert.match((await client.get('/.rempart/id/recovery')).text, /9 of ten/);
  await until('the event', async () => (await log()).includes('recovery_codes.used'));
  await letterAbout('password and a recovery code');
});

test('a recovery code makes no recovery codes; ten new ones end the former ten', async () => {
  const page = await person.get('/.rempart/id/recovery');
  const refused = await person.submit(page, {code: codes[5]}, {action: 'recovery'});
  assert.match(refused.text, /not right/);
  const made = await person.submit(refused, {code: await person.freshCode()}, {action: 'recovery'});
  assert.match(made.text, /never be shown again/);
  const {client} = await signInWith(codes[6]);
  assert.equal(await isIn(client), false);
});

test('the pages speak French', async () => {
  for (const [target, words] of [['password', /Changer de mot de passe/], ['recovery', /Codes de secours/]]) {
    const page = await person.get(`/.rempart/id/${target}?lang=fr`);
    assert.match(page.text, words);
  }
});

// ---- another address ----

const linkTo = async (address, path) => {
  const mail = await until(`the letter to ${address}`, () => server.mails.filter(one => one.to.includes(address))
    .map(one => readMail(one.text).body).find(body => body.includes(path)));
  const url = new URL(/https:\/\/\S+/.exec(mail)[0]);
  assert.equal(url.pathname, path);
  return url.pathname + url.search;
};
const askFor = async (who, email, fields = {}) => {
  const page = await who.get('/.rempart/id/email');
  assert.equal(page.status, 200);
  return who.submit(page, {email, present: who.password, code: fields.code ?? await who.freshCode(), ...fields}, {action: 'id/email'});
};
// Does this address with this password get as far as the code?
const reaches = async (email, password) => {
  const client = new Client(stack);
  const answer = await client.submit(await client.get('/.rempart/id/sign-in'), {email, password}, {action: 'sign-in'});
  return answer.text.includes('name="code"');
};
const CONFIRM = '/.rempart/id/email/confirm', STOP = '/.rempart/id/email/stop';

/*= S170 type=test */
test('another address counts once its own link was used; the former one is told, and opens nothing any more', async () => {
  const max = await invited('maxime@example.com');
  assert.match((await askFor(max, 'maximilian@example.com', {present: 'not this one at all', code: '000000'})).text, /present password is not right/);
  assert.match((await askFor(max, 'nonsense@', {code: '000000'})).text, /does not look like/);
  assert.match((await askFor(max, 'MAXIME@example.com', {code: '000000'})).text, /your address already/);
  assert.match((await askFor(max, 'maximilian@example.com')).text, /on its way to the new address/);
  const link = await linkTo('maximilian@example.com', CONFIRM);
  await linkTo('maxime@example.com', STOP);
  assert.ok(await reaches('maxime@example.com', max.password));
  assert.equal(await reaches('maximilian@example.com', max.password), false);

  const reader = new Client(stack);
  const page = await reader.get(link);
  assert.match(page.text, /sign in with maximilian@example\.com/);
  assert.ok(!page.text.includes('maxime@example.com'), 'the former address is nobody else’s business');
  assert.ok(await reaches('maxime@example.com', max.password)); // opening it changes nothing
  assert.match((await reader.submit(page, {}, {action: CONFIRM})).text, /this address is yours/);
  assert.match((await max.get('/.rempart/id/account')).text, /data-email="maximilian@example\.com"/);
  assert.equal(await reaches('maxime@example.com', max.password), false);
  assert.ok(await reaches('maximilian@example.com', max.password));
  assert.match((await reader.get(link)).text, /used already|already been used/);
  await until('the second letter to the former address', () => server.mails.filter(one => one.to.includes('maxime@example.com') && readMail(one.text).body.includes('no longer signs in')).length === 1);
  await until('the event', async () => /address\.changed/.test(await log()));
});

// Somebody whom an import brought with a password alone, where the second factor is optional.
test('who has keys alone makes recovery codes with one, and comes in with a code', async () => {
  const email = 'mira@example.com', password = 'a sentence from elsewhere 9', salt = crypto.randomBytes(16);
  const ab64 = bytes => bytes.toString('base64').replace(/=+$/, '').replaceAll('+', '.');
  const hash = `$pbkdf2-sha256$29000$${ab64(salt)}$${ab64(crypto.pbkdf2Sync(password, salt, 29000, 32, 'sha256'))}`;
  const file = path.join(folder, 'mira.csv');
  fs.writeFileSync(file, `email,password\n${email},${hash}\n`);
  const taken = await stack.rempart('person', 'import', file, '--tenant', tenant);
  assert.equal(taken.code, 0, taken.stderr);
  const listed = async () => (await stack.rempart('person', 'list', '--tenant', tenant)).stdout.split('\n').find(line => line.includes(email));
  assert.match(await listed(), /no second factor/);

  const mira = Object.assign(new Client(stack), {email, password}), key = new Authenticator(stack.origin);
  const recovery = () => mira.get('/.rempart/id/recovery'), make = async () => mira.submit(await recovery(), {}, {action: 'recovery'});
  await mira.signIn();
  assert.ok(await isIn(mira));
  assert.match((await recovery()).text, /Add a key first/);
  await addKey(mira, key, 'Blue key');
  assert.match((await make()).text, /sign in again with your key/, 'a password alone makes none');

  const toSecondStep = async () => {
    mira.cookies = {};
    return mira.submit(await mira.get('/.rempart/id/sign-in'), {email, password}, {action: 'sign-in'});
  };
  const signInWithKey = async () => {
    const second = await toSecondStep();
    const {fields} = second.form('code');
    const options = await mira.post('/.rempart/id/passkey/second', {form: fields.form});
    return mira.post('/.rempart/id/code', {...fields, passkey: JSON.stringify(key.use(options.json()))});
  };
  await signInWithKey();
  const shown = [...(await make()).text.matchAll(/<code>(\S{5}-\S{5})<\/code>/g)].map(found => found[1]);
  assert.equal(shown.length, 10);
  assert.match(await listed(), /no authenticator, keys: 1, recovery codes: 10/);
  const members = JSON.parse((await stack.rempart('person', 'list', '--tenant', tenant, '--json')).stdout).people;
  assert.deepEqual(members.find(one => one.email === email).factors, {passkeys: 1, recovery_codes: 10, totp: false});

  await mira.submit(await toSecondStep(), {code: shown[3]}, {action: 'code'});
  assert.ok(await isIn(mira), 'the key is lost, a code opens');
  assert.match((await make()).text, /sign in again with your key/, 'and makes no others');
  assert.match(await listed(), /recovery codes: 9/);
});

test('what core refuses is told in French where the terminal speaks it', async () => {
  const csv = path.join(folder, 'people.csv'), broken = path.join(folder, 'broken.csv');
  fs.writeFileSync(csv, 'email;size\nlea@example.com;9\n');
  fs.writeFileSync(broken, 'email;role\n"lea@example.com;member\n');
  const nobody = '0'.repeat(31) + '1';
  const cases = [
    [['person', 'list', '--tenant', 'Acme'], /tenant\s: l’identifiant qu’affiche «\srempart tenant list\s»/],
    [['person', 'invite', 'not an address', '--tenant', tenant], /email\s: une adresse comme lea@example.com/],
    [['person', 'invite', 'zoe@example.com', '--tenant', tenant, '--record', 'x'], /l’identifiant d’une fiche du registre/],
    [['person', 'role', nobody, 'member', '--tenant', tenant], /cette personne n’est qu’invitée/],
    [['person', 'reminders', 'lea@example.com', '--tenant', tenant, '--digest', '8'], /digest\s: une heure comme 08:00/],
    [['person', 'reminders', 'nobody@example.com', '--tenant', tenant], /personne de cette organisation, ou seulement invitée/],
    [['change', 'check', 'absent.tar'], /absent\.tar\s: .*ni un fichier lisible, ni une empreinte/],
    [['change', 'check', 'sha256:zz'], /ni un fichier lisible, ni une empreinte/],
    [['person', 'import', broken, '--tenant', tenant], /un guillemet qui ne se ferme jamais/],
    [['tenant', 'create', 'x'.repeat(129)], /name\s: de 1 à 128 octets/],
    [['tenant', 'create', 'ACME'], /une organisation s’appelle déjà ainsi/],
    [['tenant', 'export', nobody, path.join(folder, 'x.tar.gz')], /aucune organisation de cet identifiant/],
    [['tenant', 'close', 'main', '--confirm', 'main'], /des personnes de cette organisation exploitent/],
    [['app', 'token', 'new', 'absent'], /aucune application de ce nom/],
    [['app', 'token', 'new', 'notes', '--days', '99999'], /days\s: de 1 à/],
    [['app', 'token', 'new', 'notes', '--scopes', 'all'], /scopes\s: \*, ou certains de/],
    [['app', 'token', 'revoke', nobody], /aucun jeton valable/],
    [['gate', 'deny', '192.0.2.1/24', '--reason', 'x'], /des bits au-delà de sa longueur/],
    [['gate', 'deny', '--path', 'nothing', '--reason', 'x'], /un chemin commence par \/ et a/],
    [['gate', 'attack', 'off', '--app', 'notes'], /il n’est pas activé pour celle-ci/],
    [['waf', 'accept', '12345678', '--reason', 'x'], /pas de proposition 12345678/],
    [['register', 'new', 'absent'], /registre\s?: absent/],
  ];
  const wrong = [];
  for (const [args, words] of cases) {
    const {code, stdout, stderr} = await run(path.join(bin, 'rempart'), [...args, '--state', stack.state],
      {env: {...stack.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'}});
    if (code === 0 || !words.test(stderr)) wrong.push(`${args.join(' ')}: ${code} ${stdout} ${stderr}`);
  }
  assert.deepEqual(wrong, []);
});

test('the address of somebody else is answered alike; only its mailbox learns why there is no link', async () => {
  const mia = await invited('mia@example.com');
  assert.match((await askFor(mia, 'maximilian@example.com')).text, /on its way to the new address/);
  await until('the letter without a link', () => server.mails.find(one => one.to.includes('maximilian@example.com') && readMail(one.text).body.includes('It has one already')));
  assert.ok(await reaches('mia@example.com', mia.password));
});

/*= S175 type=test */
test('“this was not me” stops the change, ends every session, and the password opens nothing', async () => {
  const kim = await invited('kim@example.com');
  await askFor(kim, 'thief@example.net');
  const confirm = await linkTo('thief@example.net', CONFIRM), stop = await linkTo('kim@example.com', STOP);
  const owner = new Client(stack), page = await owner.get(stop);
  assert.ok(await isIn(kim)); // opening it changes nothing
  assert.match((await owner.submit(page, {}, {action: STOP})).text, /all your sessions ended/);
  assert.equal(await isIn(kim), false);
  assert.notEqual((await kim.get('/')).status, 200);
  assert.equal((await owner.get(confirm)).status, 404);
  assert.equal((await owner.get(stop)).status, 404);
  assert.equal(await reaches('kim@example.com', kim.password), false);
  await until('the event', async () => /change_stopped/.test(await log()));
});

test('the same link undoes a change that has taken effect', async () => {
  const pat = await invited('pat@example.com');
  await askFor(pat, 'thief@example.org');
  const confirm = await linkTo('thief@example.org', CONFIRM), stop = await linkTo('pat@example.com', STOP);
  const thief = new Client(stack), owner = new Client(stack);
  await thief.submit(await thief.get(confirm), {}, {action: CONFIRM});
  assert.ok(await reaches('thief@example.org', pat.password));
  const page = await owner.get(stop);
  assert.match(page.text, /will be undone/);
  await owner.submit(page, {}, {action: STOP});
  assert.equal(await isIn(pat), false);
  const {stdout} = await stack.rempart('person', 'list', '--tenant', tenant);
  assert.ok(stdout.includes('pat@example.com') && !stdout.includes('thief@'));
  assert.equal(await reaches('pat@example.com', pat.password), false); // a new password comes by mail
});
