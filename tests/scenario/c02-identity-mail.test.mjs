// A person is invited by mail: without a mail server it waits, with one it goes out once, and only
// to a server that proves who it is.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import crypto from 'node:crypto';
import https from 'node:https';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import {crash, sql} from '../lib/sabotage.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {freePort, run, sleep, Stack, until} from '../lib/stack.mjs';

let stack, tenant, server, sink;
const openssl = (...args) => run('openssl', args, {cwd: stack.state});

before(async () => {
  stack = await Stack.start({app: 'none'});
  await stack.firstAdministrator();
  tenant = (await stack.rempart('tenant', 'create', 'Société Étoile')).stdout.trim();
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'mail-ca.key', '-out', 'mail-ca.pem',
    '-days', '30', '-subj', '/CN=Mail CA', '-addext', 'basicConstraints=critical,CA:TRUE');
  await openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'mail.key', '-out', 'mail.csr', '-subj', '/CN=mail');
  fs.writeFileSync(stack.file('mail.ext'), 'subjectAltName=IP:127.0.0.1\n');
  const leaf = await openssl('x509', '-req', '-in', 'mail.csr', '-CA', 'mail-ca.pem', '-CAkey', 'mail-ca.key', '-CAcreateserial', '-days', '30',
    '-extfile', 'mail.ext', '-out', 'mail.pem');
  assert.equal(leaf.code, 0, leaf.stderr);
  fs.writeFileSync(stack.file('mail-account'), 'robot\nthe password of the robot\n', {mode: 0o600});
  server = await Smtp.start({user: 'robot', password: 'the password of the robot',
    tls: {key: fs.readFileSync(stack.file('mail.key')), cert: fs.readFileSync(stack.file('mail.pem'))}});
});
after(async () => {
  sink?.kill('SIGKILL');
  await server?.stop();
  await stack?.stop();
});

const notices = async () => JSON.parse((await stack.rempart('notify', 'list', '--json')).stdout);
const invite = async email => {
  const {code, stdout, stderr} = await stack.rempart('person', 'invite', email, '--tenant', tenant);
  assert.equal(code, 0, stderr);
  return stdout.trim();
};
const configure = async (lines, section = 'smtp') => {
  const file = stack.file('rempart.yaml');
  fs.writeFileSync(file, `${stack.defaultConfig()}${section}:\n` + lines.map(line => `  ${line}\n`).join(''));
  await stack.down();
  await stack.up();
};
const account = () => ['from: rempart@example.com', `credentials: ${stack.file('mail-account')}`];

test('without a mail server the link is printed and the mail waits in plain sight', async () => {
  const link = await invite('wait@example.com');
  assert.match(link, /^https:\/\/localhost:\d+\/\.rempart\/id\/enrol\?token=/);
  const {mail_server: configured, notices: [one]} = await notices();
  assert.equal(configured, false);
  assert.equal(one.state, 'waiting');
  assert.match((await stack.rempart('notify', 'list')).stdout, /invitation[\s\S]*No mail server/);
  const token = new URL(link).searchParams.get('token');
  for (const name of fs.readdirSync(stack.file('db'))) {
    assert.ok(!fs.readFileSync(stack.file('db', name)).includes(token), `${name}: the link lies in no file`);
  }
});

test('a server whose certificate is not of the named authority gets nothing', async () => {
  const other = await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'o.key', '-out', 'other-ca.pem',
    '-days', '30', '-subj', '/CN=Other');
  assert.equal(other.code, 0);
  await configure([`url: smtp://127.0.0.1:${server.port}`, ...account(), `authority: ${stack.file('other-ca.pem')}`]);
  const one = await until('a try', async () => (await notices()).notices.find(notice => notice.tries > 0 && notice.state === 'waiting'));
  assert.match(one.problem, /certificate|SSL/i);
  assert.equal(server.mails.length, 0);
  assert.ok(!server.commands.includes('AUTH'), 'nor the password');
});

test('with its server the waiting mail goes out once, by TLS and with the account', async () => {
  await configure([`url: smtp://127.0.0.1:${server.port}`, ...account(), `authority: ${stack.file('mail-ca.pem')}`]);
  const [{id}] = (await notices()).notices;
  await stack.rempart('notify', 'retry', id);
  await until('the mail', () => server.mails.length > 0);
  const [mail] = server.mails;
  assert.deepEqual([mail.from, mail.to, mail.tls, mail.user], ['rempart@example.com', ['wait@example.com'], true, 'robot']);
  const {heads, body} = readMail(mail.text);
  assert.equal(heads['message-id'], `<${id}@example.com>`);
  assert.equal(heads['auto-submitted'], 'auto-generated');
  assert.match(body, /Société Étoile/);
  assert.match(heads.subject, /^=\?UTF-8\?B\?/);
  assert.equal((await notices()).notices[0].state, 'sent');
  const person = await stack.enrol(body.match(/https:\S+/)[0]);
  assert.equal(person.email, 'wait@example.com');
});

test('a busy server is tried again, and a person who is not there is not', async () => {
  server.refuse = 'busy';
  await invite('busy@example.com');
  const busy = await until('a try', async () => (await notices()).notices.find(one => one.tries > 0 && one.state === 'waiting'));
  assert.match(busy.problem, /451/);
  server.refuse = null;
  assert.equal((await stack.rempart('notify', 'retry', busy.id)).code, 0);
  await until('the mail', () => server.mails.some(mail => mail.to.includes('busy@example.com')));
  server.refuse = 'RCPT';
  await invite('nobody@example.com');
  const gone = await until('refused', async () => (await notices()).notices.find(one => one.state === 'refused'));
  assert.match(gone.problem, /550/);
  server.refuse = null;
});

test('core dies after the courier sent it and before it heard so: the mail does not go out twice', async () => {
  const count = server.mails.length;
  server.slow = 2000;
  await invite('once@example.com');
  await until('the mail', () => server.mails.length > count);
  await crash(stack, 'core'); // the server has not answered the courier yet
  server.slow = 0;
  const [one] = (await until('core', notices)).notices;
  assert.equal(one.state, 'sending');
  await until('the courier notes it', () => fs.readFileSync(stack.file('courier/sent')).includes(Buffer.from(one.id, 'hex')));
  await crash(stack, 'courier'); // what it knows lies on the disk
  await sql(stack.file('db/system.db'), `UPDATE notice SET next_ms = 0 WHERE state = 'sending'`);
  await until('sent', async () => (await notices()).notices[0].state === 'sent');
  assert.equal(server.mails.length, count + 1);
});

test('a server elsewhere must offer TLS, and the real smtp-sink on this machine need not', async () => {
  const port = await freePort();
  const folder = stack.file('sink');
  fs.mkdirSync(folder);
  fs.chmodSync(folder, 0o777);
  sink = spawn('/usr/sbin/smtp-sink', ['-u', process.getuid() === 0 ? 'nobody' : '', '-d', path.join(folder, '%M%S.'), `127.0.0.1:${port}`, '10']
    .filter((arg, at, all) => arg !== '' && !(arg === '-u' && all[at + 1] === '')), {stdio: 'ignore', cwd: folder});
  await sleep(300);
  // 0.0.0.0 reaches the loopback too, but says nothing about this machine.
  await configure([`url: smtp://0.0.0.0:${port}`, 'from: rempart@example.com']);
  await invite('sink@example.com');
  const one = await until('a try', async () => (await notices()).notices.find(notice => notice.tries > 0 && notice.state === 'waiting'));
  assert.match(one.problem, /STARTTLS|SSL|TLS/i);
  assert.deepEqual(fs.readdirSync(folder), []);
  await configure([`url: smtp://127.0.0.1:${port}`, 'from: rempart@example.com']);
  await stack.rempart('notify', 'retry', one.id);
  const file = await until('a file of the sink', () => fs.readdirSync(folder)[0]);
  await sleep(200);
  assert.match(fs.readFileSync(path.join(folder, file), 'latin1'), /X-Rcpt-Args: <sink@example\.com>/);
});

test('a webhook is signed, verified, kept from private addresses, tried again under the same id, and never twice', async () => {
  const secret = crypto.randomBytes(32);
  const calls = [], answers = [];
  let first;
  const receiver = https.createServer({key: fs.readFileSync(stack.file('mail.key')), cert: fs.readFileSync(stack.file('mail.pem'))}, (request, response) => {
    let body = '';
    request.on('data', part => { body += part; }).on('end', () => {
      calls.push({url: request.url, headers: request.headers, body});
      const answer = (request.headers['webhook-id'] === first?.id && answers.shift()) || 204;
      response.writeHead(answer, answer === 302 ? {location: '/elsewhere'} : {}).end();
    });
  });
  await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve));
  try {
    fs.writeFileSync(stack.file('hook-secret'), `whsec_${secret.toString('base64')}\n`, {mode: 0o600});
    const settings = (...more) => configure([`endpoint: https://127.0.0.1:${receiver.address().port}/hook`,
      `secret: ${stack.file('hook-secret')}`, ...more], 'webhook');
    const hooks = async () => (await notices()).notices.filter(one => one.channel === 'webhook');
    const waiting = problem => until(problem, async () => (await hooks()).find(one => problem.test(one.problem) && one.state === 'waiting'));
    await settings(`authority: ${stack.file('mail-ca.pem')}`);
    const made = await stack.rempart('register', 'new', 'alerts', 'rule=late', 'kind=alert', 'severity=high',
      `raised_at=${new Date(Date.now() - 7200e3).toISOString().slice(0, 19)}Z`, '--json');
    assert.equal(made.code, 0, made.stderr);
    first = await waiting(/private or local/);
    assert.equal(calls.length, 0);
    // Allowed, but of an authority that nobody named.
    await settings('private: "true"');
    assert.equal((await stack.rempart('notify', 'retry', first.id)).code, 0);
    await waiting(/certificate|SSL/i);
    assert.equal(calls.length, 0);
    answers.push(503, 302);
    await settings('private: "true"', `authority: ${stack.file('mail-ca.pem')}`);
    for (const problem of [/answered 503/, /302; redirects/]) {
      await stack.rempart('notify', 'retry', first.id);
      await waiting(problem);
    }
    for (const one of await hooks()) await stack.rempart('notify', 'retry', one.id);
    await until('all sent', async () => (await hooks()).every(one => one.state === 'sent'));
    assert.ok(calls.every(one => one.url === '/hook'), 'no redirect is followed');
    for (const {headers, body} of calls) {
      const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      assert.equal(headers['webhook-signature'], `v1,${crypto.createHmac('sha256', secret).update(text).digest('base64')}`);
      assert.ok(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 120);
    }
    const of = calls.filter(one => one.headers['webhook-id'] === first.id);
    assert.ok(of.length >= 2 && of.every(one => one.body === of[0].body), 'the same notice under the same id');
    const {type, data} = JSON.parse(of[0].body);
    assert.deepEqual([type, data.register, data.record], ['deadline', 'alerts', JSON.parse(made.stdout).id]);
    // Core forgets that it went out, as a power cut makes it: the courier knows, and calls nobody.
    const before = calls.length;
    await stack.down();
    await sql(stack.file('db/system.db'), "UPDATE notice SET state = 'sending', next_ms = 1, sealed = (SELECT sealed FROM notice WHERE channel = 'webhook') WHERE channel = 'webhook'");
    await stack.up();
    await until('settled', async () => (await hooks()).every(one => one.state !== 'sending'));
    assert.equal(calls.length, before);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});
