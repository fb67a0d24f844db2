// Passkeys and security keys in a real browser, by keyboard, with Chromium's virtual authenticators.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {accessibility, authenticatorOn, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {Stack, until} from '../lib/stack.mjs';

const people = {}; // one a language
let stack, browser;
before(async () => {
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\napps:\n  - name: notes\n` +
    '    upstream: unix:run/notes.sock\n    sign_in: required\n    paths:\n      - {path: /vault/, sign_in: required, acr: phr}\n'});
  const tenant = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  for (const name of ['fr', 'en', 'poor', 'hostile']) {
    const {stdout} = await stack.rempart('person', 'invite', `camille.${name}@boulangerie-martin.example`, '--tenant', tenant);
    people[name] = await stack.enrol(stdout.trim());
  }
  browser = await browserFor(stack);
});
after(async () => { await browser?.close(); await stack?.stop(); });

const at = path => `${stack.origin}/.rempart/id/${path}`;
const key = page => page.locator('form[data-passkey] button[type=submit]');
const enter = async (page, locator) => { await locator.focus(); await page.keyboard.press('Enter'); };

async function looksRight(page, name) {
  await picture(page, name);
  assert.deepEqual(await accessibility(page), [], name);
  assert.equal(await overflows(page), false, `${name} is wider than the window`);
  assert.deepEqual(page.problems, [], name);
}

async function signedIn(person, options) {
  const page = await pageIn(browser, options);
  await page.context().addCookies([{name: '__Host-rempart', value: person.cookies['__Host-rempart'], url: stack.origin, secure: true}]);
  return page;
}

async function addKey(page, person, name, password = person.password) {
  await page.goto(at('passkeys'));
  await page.fill('#name', name);
  await page.fill('#present', password);
  await page.keyboard.press('Enter');
}

async function toSecondStep(page, person) {
  await page.context().clearCookies();
  await page.goto(at('sign-in?next=/.rempart/id/account'));
  await page.fill('#email', person.email);
  await page.fill('#password', person.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/id\/code/);
}

/*= S101, S102 type=test */
for (const {lang, width, words} of [
  {lang: 'fr', width: 360, words: {present: /mot de passe actuel ne convient pas/, device: /un seul appareil/, roaming: /Clé de sécurité/, never: /pas encore servi/, removed: /retirée/, strength: /clé d’accès/}},
  {lang: 'en', width: 1440, words: {present: /present password is not right/, device: /of one device/, roaming: /Security key/, never: /not used yet/, removed: /removed/, strength: /passkey/}}]) {
  test(`${lang} at ${width}: a built-in and a carried key, as a second factor and alone, by keyboard`, async () => {
    const person = people[lang];
    const page = await signedIn(person, {lang, width, height: 800});
    const device = await authenticatorOn(page, 'internal');
    await page.goto(at('passkeys'));
    await looksRight(page, `passkeys-none-${lang}-${width}`);
    await addKey(page, person, 'Téléphone');
    await page.waitForURL(/done=added/);
    assert.match(await page.textContent('.sessions'), words.device);
    await addKey(page, person, 'Again'); // the authenticator knows that it has one
    await page.locator('[data-says]:visible').waitFor();
    await looksRight(page, `passkeys-known-${lang}-${width}`);
    assert.equal((await device.credentials()).length, 1);
    await addKey(page, person, 'Theirs', 'not the password');
    await page.locator('[data-says]:visible').waitFor();
    assert.match(await page.textContent('[data-says]'), words.present);
    assert.match(page.problems.splice(0).join(), /403/); // the browser notes the refusal, too
    await looksRight(page, `passkeys-refused-${lang}-${width}`);
    await device.remove();

    const stick = await authenticatorOn(page, 'usb', {verifies: false, hasResidentKey: false});
    await addKey(page, person, 'Clé bleue');
    await page.waitForURL(/done=added/);
    assert.match(await page.textContent('.sessions'), words.roaming);
    assert.match(await page.textContent('.sessions'), words.never);
    await looksRight(page, `passkeys-two-${lang}-${width}`);

    await toSecondStep(page, person); // a touch is enough after the password
    await looksRight(page, `passkey-second-${lang}-${width}`);
    await enter(page, key(page));
    await page.waitForURL(/id\/account/);
    assert.match(await page.textContent('dl'), words.strength);

    await page.goto(at('passkeys')); // another name, then away with it
    await page.locator('summary').nth(1).focus();
    await page.keyboard.press('Enter');
    await page.locator('details').nth(1).locator('[name=name]').fill('Yubi <b>5</b>');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=renamed/);
    assert.match(await page.textContent('.sessions'), /Yubi <b>5<\/b>/);
    await enter(page, page.locator('summary').nth(1));
    await looksRight(page, `passkeys-change-${lang}-${width}`);
    await enter(page, page.locator('details').nth(1).locator('[value=remove]'));
    await page.waitForURL(/done=removed/);
    assert.match(await page.textContent('[role=status]'), words.removed);
    await stick.remove();
    await page.context().close();
  });
}

test('a passkey alone signs in where it verified its owner, and nowhere else', async () => {
  const person = people.en;
  const page = await signedIn(person, {});
  const device = await authenticatorOn(page, 'internal');
  await page.goto(`${stack.origin}/vault/`);
  assert.match(await page.textContent('[role=status]'), /a code is not enough/);
  await addKey(page, person, 'Laptop');
  await page.waitForURL(/done=added/);
  await page.context().clearCookies();
  await page.goto(at('sign-in?next=/.rempart/id/account'));
  await looksRight(page, 'sign-in-with-passkey-en-1440');
  await enter(page, key(page));
  await page.waitForURL(/id\/account/);
  assert.match(await page.textContent('dl'), /passkey/);
  const [inside] = (await page.context().cookies()).filter(one => one.name === '__Host-rempart');
  const strong = await stack.client({cookies: {'__Host-rempart': inside.value}}).get('/vault/');
  assert.equal(strong.status, 502, 'let through, to an application that does not run');

  await page.context().clearCookies(); // the authenticator says that nobody's finger was asked for
  await device.send('setResponseOverrideBits', {isBadUV: true});
  await page.goto(at('sign-in'));
  await enter(page, key(page));
  await page.waitForURL(/error=passkey/);
  await looksRight(page, 'sign-in-passkey-refused-en-1440');
  await page.context().close();
});

/*= S101, S102 type=test */
test('an altered signature, a missing touch and a copied key are refused', async () => {
  const person = people.hostile;
  const page = await signedIn(person, {});
  const stick = await authenticatorOn(page, 'usb');
  await addKey(page, person, 'Stick');
  await page.waitForURL(/done=added/);
  for (const bits of [{isBogusSignature: true}, {isBadUP: true}]) {
    await toSecondStep(page, person);
    await stick.send('setResponseOverrideBits', bits);
    await enter(page, key(page));
    await page.waitForURL(/error=passkey/);
    await stick.send('setResponseOverrideBits', {});
  }
  const [credential] = await stick.credentials();
  await enter(page, key(page));
  await page.waitForURL(/id\/account/);
  const other = await pageIn(browser); // a copy of the key, made before that sign-in
  const copy = await authenticatorOn(other, 'usb');
  await copy.send('addCredential', {credential: {...credential, signCount: 1}});
  await toSecondStep(other, person);
  await enter(other, key(other));
  await other.waitForURL(/error=passkey/);
  await until('the log says so', async () =>
    (await stack.rempart('ledger', 'tail', 'operator', '-n', '100')).stdout.includes('factor.clone_suspected'));
  await other.context().close();
  await page.context().close();
});

/*= S101, S102 type=test */
test('a script of the application, in a session that is minutes old, plants no key', async () => {
  const page = await signedIn(people.hostile, {});
  await page.goto(at('passkeys')); // the application's own pages are of this origin, and can read this one
  const seen = await page.evaluate(async () => {
    const form = document.querySelector('form[data-passkey] input[name=form]').value;
    const ask = more => fetch('/.rempart/id/passkeys/new', {method: 'POST', body: new URLSearchParams({form, ...more})});
    return [(await ask({})).status, (await ask({present: 'guessed'})).status];
  });
  assert.deepEqual(seen, [403, 403]);
  await page.context().close();
});

test('nobody answers: the page says so calmly and goes on; without scripts it offers the code', async () => {
  const person = people.poor;
  const page = await signedIn(person, {lang: 'fr', width: 360, height: 800});
  const stick = await authenticatorOn(page, 'usb');
  await addKey(page, person, 'Clé');
  await page.waitForURL(/done=added/);
  await stick.remove();
  await authenticatorOn(page, 'usb'); // another one, which knows nothing
  await toSecondStep(page, person);
  await enter(page, key(page));
  await page.locator('[data-says]:visible').waitFor();
  assert.match(await page.textContent('[data-says]'), /Aucune clé n’a répondu/);
  await looksRight(page, 'passkey-cancelled-fr-360');
  await page.fill('#code', await person.freshCode());
  await page.keyboard.press('Enter');
  await page.waitForURL(/id\/account/);
  await page.context().close();

  const context = await browser.newContext({javaScriptEnabled: false, locale: 'en-GB'});
  const plain = await context.newPage();
  await toSecondStep(plain, person);
  assert.equal(await key(plain).isVisible(), false);
  assert.match(await plain.textContent('main'), /need JavaScript/);
  await context.close();
});
