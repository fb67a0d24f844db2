// An application that none of us wrote (Debian's radicale) behind the gate, by identity headers.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {browserFor, pageIn} from '../lib/browser.mjs';
import {freePort, Stack, until} from '../lib/stack.mjs';

let stack, browser, radicale, port;
before(async () => {
  port = await freePort();
  stack = await Stack.start({app: null, config: listen => `host: localhost
gate:
  listen: ${listen}
apps:
  - name: radicale
    upstream: http://127.0.0.1:${port}
    sign_in: required
    waf: detect
    identity_headers:
      X-Remote-User: email
`});
  const storage = stack.file('radicale');
  fs.mkdirSync(storage);
  fs.writeFileSync(stack.file('radicale.conf'), `[server]\nhosts = 127.0.0.1:${port}\n[auth]\ntype = http_x_remote_user\n` +
    `[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = ${storage}\n[web]\ntype = internal\n`);
  radicale = spawn('radicale', ['-C', stack.file('radicale.conf')], {stdio: 'ignore'});
  await until('radicale', async () => (await fetch(`http://127.0.0.1:${port}/.web/`)).ok);
  browser = await browserFor(stack);
});
after(async () => { await browser?.close(); radicale?.kill(); await stack?.stop(); });

test('a calendar is made as the signed-in person, over the gate', async () => {
  const person = await stack.firstAdministrator();
  const home = encodeURIComponent(person.email);
  const made = await person.request('MKCALENDAR', `/${home}/cal/`, {headers: {accept: '*/*'}});
  assert.equal(made.status, 201, made.text);
  const event = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20261123T100000Z\r\n' +
    'DTSTART:20261123T100000Z\r\nSUMMARY:Réunion\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n';
  const put = await person.request('PUT', `/${home}/cal/one.ics`, {body: event, headers: {'content-type': 'text/calendar', 'content-length': Buffer.byteLength(event)}});
  assert.equal(put.status, 201, put.text);
  assert.match((await person.get(`/${home}/cal/one.ics`)).text, /Réunion/);
  const other = await person.request('PUT', '/somebody-else/cal/one.ics', {body: event, headers: {'content-type': 'text/calendar', 'content-length': Buffer.byteLength(event), 'X-Remote-User': 'somebody-else'}});
  assert.ok(other.status >= 400, 'a forged name is not believed');

  const page = await pageIn(browser);
  await page.context().addCookies(Object.entries(person.cookies).map(([name, value]) =>
    ({name, value, domain: 'localhost', path: '/', secure: true, httpOnly: true})));
  await page.goto(`${stack.origin}/.web/`);
  assert.match(await page.title(), /Radicale/i);
  await page.context().close();
});

test('a stranger sees the sign-in page instead', async () => {
  const page = await pageIn(browser, {lang: 'fr'});
  await page.goto(`${stack.origin}/.web/`);
  assert.match(page.url(), /\/\.rempart\/id\/sign-in/);
  await page.context().close();
});
