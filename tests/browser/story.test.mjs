// The story in a real browser, with the keyboard alone, in French on a phone and in English on a desk.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {Stack, totp} from '../lib/stack.mjs';

let stack, browser;
before(async () => {
  stack = await Stack.start();
  browser = await browserFor(stack);
});
after(async () => { await browser?.close(); await stack?.stop(); });

const people = [];

async function looksRight(page, name) {
  await picture(page, name);
  assert.deepEqual(await accessibility(page), [], name);
  assert.equal(await overflows(page), false, `${name} is wider than the window`);
  assert.deepEqual(page.problems, [], name);
}

const cases = [
  {lang: 'fr', width: 360, height: 740, words: {signIn: /Connexion|Se connecter/, note: 'Acheter du pain'}},
  {lang: 'en', width: 1440, height: 900, words: {signIn: /Sign in/, note: 'Buy bread'}},
];

for (const {lang, width, height, words} of cases) {
  const label = `${lang}-${width}`;
  test(`${label}: enrol, sign in, write a note, read the trust page, keyboard only`, async () => {
    let link = stack.firstLink;
    if (people.length) {
      const {stdout} = await stack.rempart('tenant', 'list', '--json');
      const tenant = JSON.parse(stdout).tenants.find(one => one.name === 'main').id;
      link = (await stack.rempart('person', 'invite', `${lang}@example.com`, '--tenant', tenant)).stdout.trim();
    }
    people.push(lang);
    const page = await pageIn(browser, {lang, width, height});
    await page.goto(link);
    assert.equal(await page.getAttribute('html', 'lang'), lang);
    await looksRight(page, `enrol-${label}`);

    const email = await page.getAttribute('[data-email]', 'data-email');
    const seed = await page.getAttribute('[data-seed]', 'data-seed');
    // On the telephone that holds the authenticator there is no QR code to be read: a link hands it the key.
    const handed = new URL(await page.getAttribute('a[href^="otpauth:"]', 'href'));
    assert.equal(handed.host + handed.pathname, `totp/localhost:${encodeURIComponent(email)}`);
    assert.equal(handed.searchParams.get('secret'), seed);
    const password = `une longue phrase ${lang} 42`;
    // The first field has the focus; every other is reached by Tab.
    const type = async (name, text) => {
      for (let i = 0; i < 40; i++) {
        if (await page.evaluate(() => document.activeElement?.name) === name) return page.keyboard.type(text);
        await page.keyboard.press('Tab');
      }
      throw new Error(`the keyboard never reached ${name}`);
    };
    await type('password', password);
    await type('password_again', password);
    await type('code', totp(seed));
    await Promise.all([page.waitForURL(url => !url.pathname.endsWith('/enrol')), page.keyboard.press('Enter')]);
    await page.waitForLoadState();
    await looksRight(page, `enrolled-${label}`);

    await page.context().clearCookies();
    await page.goto(`${stack.origin}/`);
    assert.match(await page.textContent('h1'), words.signIn);
    await looksRight(page, `sign-in-${label}`);
    await type('email', email);
    await type('password', password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[name=code]');
    await looksRight(page, `code-${label}`);
    await type('code', totp(seed, Date.now() + 30000)); // the next code: this one was used at enrolment
    await page.keyboard.press('Enter');
    await page.waitForSelector('[name=text]');
    await type('text', words.note);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(words.note).first().waitFor();
    await looksRight(page, `notes-${label}`);

    await page.goto(`${stack.origin}/.rempart/id/account`);
    await looksRight(page, `account-${label}`);
    await page.context().close();
  });

  test(`${label}: the trust page is complete, readable and shows its evidence`, async () => {
    const page = await pageIn(browser, {lang, width, height});
    await page.goto(`${stack.origin}/trust`);
    await looksRight(page, `trust-${label}`);
    assert.equal(await page.locator('script').count(), 0);
    const summary = page.locator('details > summary').first();
    await summary.focus();
    await page.keyboard.press('Enter');
    assert.ok(await page.locator('details[open]').count() > 0);
    await page.locator('a.chip.not-built').click();
    await page.waitForURL('**/trust?status=not-built');
    await looksRight(page, `trust-not-built-${label}`);
    assert.deepEqual(new Set(await page.locator('.promise > .state > .chip').evaluateAll(chips => chips.map(chip => chip.className))),
      new Set(['chip not-built']));
    const refused = await stack.client().get('/trust?status=nonsense');
    assert.equal(refused.status, 400);
    assert.match(refused.text, /one such as proven/);
    await page.locator('.tally a[href="/trust"]').click();
    await page.waitForURL('**/trust');
    await page.locator('a[href="/trust/responsibility"]').click();
    await page.waitForURL('**/trust/responsibility'); // a click does not wait for what it leads to
    await looksRight(page, `responsibility-${label}`);
    assert.ok(await page.locator('section[id^="duty-"]').count() >= 10);
    for (const name of ['encryption', 'encrypted-data']) {
      await page.goto(`${stack.origin}/trust`);
      await page.locator(`a[href="/trust/${name}"]`).click();
      await page.waitForURL(`**/trust/${name}`);
      await looksRight(page, `${name}-${label}`);
    }
    await page.context().close();
  });

  test(`${label}: whoever comes with an outdated browser is warned where they sign in`, async () => {
    const page = await pageIn(browser, {lang, width, height,
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:78.0) Gecko/20100101 Firefox/78.0'});
    await page.goto(`${stack.origin}/.rempart/id/sign-in`);
    assert.match(await page.locator('#outdated').innerText(), /Firefox 78/);
    await looksRight(page, `outdated-${label}`);
    await page.context().close();
  });
}
