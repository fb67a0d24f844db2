// The path: enrol by the link, sign in with password and code, write a note, find it sealed and logged.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import {Stack, until} from '../lib/stack.mjs';

let stack, person;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

test('nobody reaches the application without a session', async () => {
  const page = await stack.client().get('/');
  assert.equal(page.status, 302);
  assert.match(page.headers.location, /\/\.rempart\/id\/sign-in$/);
  const deep = await stack.client().get('/a/page?with=query');
  assert.match(deep.headers.location, /\/\.rempart\/id\/sign-in\?next=\/a\/page%3Fwith%3Dquery$/i);
  const api = await stack.client().get('/', {headers: {accept: 'application/json'}});
  assert.equal(api.status, 401);
});

/*= S99, S100, S101 type=test */
test('the first administrator enrols by the link, which then is spent', async () => {
  const link = stack.firstLink;
  person = await stack.enrol(link);
  const again = await stack.client().get(new URL(link).pathname + new URL(link).search);
  assert.ok([404, 410, 401].includes(again.status), `${again.status}`);
});

test('password and code sign in; a wrong password and an unknown address get the same answer', async () => {
  const other = stack.client();
  const wrong = await other.signIn({email: person.email, password: 'not this one at all'});
  const unknown = await other.signIn({email: 'nobody@localhost', password: 'not this one at all'});
  assert.equal(wrong.status, unknown.status);
  const strip = answer => answer.text.replace(/value="[^"]*"/g, '');
  assert.equal(strip(wrong), strip(unknown));
  person.cookies = {};
  const page = await person.signIn({next: '/'});
  assert.equal(page.status, 200);
  assert.ok(person.cookies['__Host-rempart'], 'a session cookie');
});

/*= S66, S82, S114 type=test */
test('a note is written through the application, read back, sealed on disk, and in the log', async () => {
  const words = 'le secret de la confiture est le citron';
  const list = await person.get('/', {follow: true});
  assert.equal(list.status, 200);
  assert.match(list.text, new RegExp(person.email.replace('.', '\\.')));
  const after = await person.submit(list, {text: words});
  assert.equal(after.status, 200, after.text);
  assert.ok(after.text.includes(words));

  const files = [];
  const walk = folder => fs.readdirSync(folder, {withFileTypes: true}).forEach(entry => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(file); else if (entry.isFile()) files.push(file);
  });
  for (const folder of ['db', 'tenants', 'ledger']) walk(stack.file(folder));
  assert.ok(files.length > 5);
  for (const file of files) {
    let bytes = '';
    try { bytes = fs.readFileSync(file); } catch (error) { assert.equal(error.code, 'ENOENT'); } // a new checkpoint took its name
    assert.ok(!bytes.includes('confiture'), `plaintext in ${file}`);
  }

  await until('the event in the tenant\'s log', async () => {
    const audit = (await person.get('/.rempart/api/v1/audit?newest=1&limit=50')).json();
    return JSON.stringify(audit).includes('record.created');
  });
});

test('a form that is too large is refused by the application, which goes on', async () => {
  const list = await person.get('/');
  assert.equal((await person.submit(list, {text: 'x'.repeat(900 * 1024)})).status, 413);
  assert.equal((await person.get('/')).status, 200);
});

test('every POST needs its form\'s token', async () => {
  const answer = await person.post('/.rempart/id/sign-out', {}, {follow: false});
  assert.ok([400, 403].includes(answer.status), `${answer.status}`);
  const foreign = await person.post('/.rempart/id/sign-in', {email: 'a@b.c', password: 'x'},
    {follow: false, headers: {origin: 'https://evil.example'}});
  assert.ok([400, 403].includes(foreign.status), `${foreign.status}`);
});

test('signing out ends the session within a second, everywhere', async () => {
  const twin = stack.client({cookies: person.cookies});
  assert.equal((await twin.get('/')).status, 200);
  const account = await person.get('/.rempart/id/account');
  assert.equal(account.status, 200);
  await person.submit(account, {}, {action: 'sign-out'});
  await until('the twin signed out', async () => (await twin.get('/')).status !== 200, {seconds: 1.5, every: 100});
});

test('French is spoken where it is asked for', async () => {
  const page = await stack.client({lang: 'fr'}).get('/.rempart/id/sign-in');
  assert.match(page.text, /<html[^>]*lang="fr"/);
  assert.match(page.text, /Mot de passe/i);
  const nothing = await stack.client({lang: 'fr'}).get('/.rempart/id/nothing');
  assert.equal(nothing.status, 404);
  assert.match(nothing.text, /Vérifiez l’adresse/, 'a refusal says what to do');
});
