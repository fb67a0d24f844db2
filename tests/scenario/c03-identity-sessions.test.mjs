// A person who forgot the password, and one who ends a session that is not theirs to have open.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Client} from '../lib/client.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {Stack, until} from '../lib/stack.mjs';

const NEW = 'an entirely different horse 7';
let stack, server, tenant, person, lea;
before(async () => {
  server = await Smtp.start();
  // All of them sign in from one address, one after the other: more of it than the limit lets through.
  stack = await Stack.start({config: port => `host: localhost\ngate:\n  listen: ${port}\nlimits: {sign_in_per_second: 1000}\nsmtp:\n  url: smtp://127.0.0.1:${server.port}\n` +
    '  from: rempart@example.com\napps:\n  - name: notes\n    upstream: unix:run/notes.sock\n    sign_in: required\n'});
  await stack.firstAdministrator();
  tenant = (await stack.rempart('tenant', 'create', 'Acme')).stdout.trim();
  lea = await invited('lea@example.com');
  person = await invited('max@example.com');
});
after(async () => {
  await stack?.stop();
  await server?.stop();
});

// A code counts once, so a story that needs another one begins with another person and not with a wait.
async function invited(email) {
  const {stdout} = await stack.rempart('person', 'invite', email, '--tenant', tenant);
  return stack.enrol(stdout.trim());
}

const elsewhere = async (password = person.password) => {
  const other = new Client(stack);
  Object.assign(other, {email: person.email, seed: person.seed, lastStep: person.lastStep});
  const answer = await other.signIn({password});
  person.lastStep = other.lastStep;
  return {other, answer};
};
const isIn = async client => (await client.get('/.rempart/id/account')).status === 200;
const mailsTo = address => server.mails.filter(mail => mail.to.includes(address) && /reset\/new/.test(readMail(mail.text).body));

/*= S175 type=test */
test('another browser stands in the list and is ended from here, at the gate too, within a second', async () => {
  const {other} = await elsewhere();
  assert.ok(await isIn(other));
  assert.equal((await other.get('/')).status, 200);
  const page = await person.get('/.rempart/id/sessions');
  assert.equal(page.text.match(/<li>/g).length, 2);
  assert.equal(page.text.match(/this browser/g).length, 1);
  const theirs = page.text.split('<li>').slice(1).find(item => !item.includes('this browser'));
  const id = /name="session" value="([0-9a-f]{32})"/.exec(theirs)[1];
  const {fields} = page.form('sessions');
  const began = Date.now();
  const done = await person.post('/.rempart/id/sessions', {form: fields.form, session: id});
  assert.match(done.text, /It is ended/);
  assert.equal(await isIn(other), false);
  assert.notEqual((await other.get('/')).status, 200, 'nor does the application open');
  assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
  assert.ok(await isIn(person));
});

test('nobody ends the session of somebody else, and a stranger’s form does nothing', async () => {
  const admin = await invited('omar@example.com');
  const mine = /value="([0-9a-f]{32})"/.exec((await person.get('/.rempart/id/sessions')).text)[1];
  const {fields} = (await admin.get('/.rempart/id/sessions')).form('sessions');
  await admin.post('/.rempart/id/sessions', {form: fields.form, session: mine});
  assert.ok(await isIn(person));
  const forged = await person.post('/.rempart/id/sessions', {form: 'x'.repeat(32), session: mine});
  assert.equal(forged.status, 403);
  assert.ok(await isIn(person));
});

test('signing in again in the same browser ends its former session', async () => {
  person = await invited('nina@example.com');
  const former = new Client(stack, {cookies: person.cookies});
  assert.ok(await isIn(former));
  await person.signIn();
  assert.ok(await isIn(person));
  assert.equal(await isIn(former), false);
});

test('whoever is asked for, the answer is the same; only who is there gets a mail', async () => {
  const ask = async email => {
    const stranger = new Client(stack);
    return stranger.submit(await stranger.get('/.rempart/id/reset'), {email}, {action: 'reset'});
  };
  const known = await ask('Lea@example.com'), unknown = await ask('nobody@example.com');
  assert.equal(known.status, unknown.status);
  const plain = answer => answer.text.replace(/value="[\w-]{32}"/g, '');
  assert.equal(plain(known), plain(unknown));
  await until('the mail', () => mailsTo('lea@example.com').length === 1);
  await ask('lea@example.com'); // at once again: no second mail
  await ask('max@example.com');
  await until('the mail of whoever asked after that', () => mailsTo('max@example.com').length === 1);
  assert.equal(mailsTo('lea@example.com').length, 1);
  assert.equal(server.mails.filter(mail => mail.to.includes('nobody@example.com')).length, 0);
});

test('the link sets a new password once, ends every session, and opens nothing without the second factor', async () => {
  person = lea;
  const link = new URL(/https:\S+/.exec(readMail(mailsTo('lea@example.com')[0].text).body)[0]);
  const browser = new Client(stack);
  const page = await browser.get(link.pathname + link.search);
  assert.match(page.text, /lea@example\.com/);
  const weak = await browser.submit(page, {password: 'password1234', password_again: 'password1234'}, {action: 'reset/new'});
  assert.match(weak.text, /too easy to guess/);
  const done = await browser.submit(page, {password: NEW, password_again: NEW}, {action: 'reset/new'});
  assert.match(done.text, /Your password is changed/);
  assert.equal(await isIn(person), false);
  assert.equal(await isIn(browser), false);
  const {answer: old} = await elsewhere();
  assert.match(old.text, /not right/);
  const {other} = await elsewhere(NEW);
  assert.ok(await isIn(other));
  const again = await browser.get(link.pathname + link.search);
  assert.equal(again.status, 410);
  assert.match(again.text, /used already/);
});
