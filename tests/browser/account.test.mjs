// A person's own pages and an administrator's, looked at on a phone and on a desk, in both languages.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {Stack, until} from '../lib/stack.mjs';

const people = {}; // one a language: an address that has just changed is not changed again
let stack, server, browser, lea, spent;
before(async () => {
  server = await Smtp.start();
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\nsmtp:\n  url: smtp://127.0.0.1:${server.port}\n` +
    '  from: rempart@example.com\napps:\n  - name: notes\n    upstream: unix:run/notes.sock\n    sign_in: required\n'});
  spent = stack.firstLink;
  await stack.firstAdministrator();
  const tenant = (await stack.rempart('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
  const link = async (email, ...more) => (await stack.rempart('person', 'invite', email, '--tenant', tenant, ...more)).stdout.trim();
  for (const lang of ['fr', 'en']) people[lang] = await stack.enrol(await link(`camille.martin.${lang}@boulangerie-martin.example`, '--role', 'admin'));
  lea = await stack.enrol(await link('lea@example.com'));
  await link('a.very.long.name.that.somebody.really.has.got@a-long-subdomain.of.an.organisation.example');
  browser = await browserFor(stack);
});
after(async () => { await browser?.close(); await stack?.stop(); await server?.stop(); });

async function looksRight(page, name) {
  await picture(page, name);
  assert.deepEqual(await accessibility(page), [], name);
  assert.equal(await overflows(page), false, `${name} is wider than the window`);
  assert.deepEqual(page.problems, [], name);
}

for (const {lang, width, words} of [
  {lang: 'fr', width: 360, words: {take: /Prendre/, members: /Les personnes/, hours: /heures à moi/, codes: /Voici vos dix codes/, recovery: /code de secours/i}},
  {lang: 'en', width: 1440, words: {take: /Take/, members: /people/, hours: /own hours/, codes: /Here are your ten codes/, recovery: /recovery code/i}}]) {
  test(`${lang} at ${width}: password, recovery codes, people, and signing in with a code`, async () => {
    const person = people[lang];
    const page = await pageIn(browser, {lang, width, height: 800});
    await page.context().addCookies([{name: '__Host-rempart', value: person.cookies['__Host-rempart'], url: stack.origin, secure: true}]);
    const show = async (target, name) => {
      await page.goto(`${stack.origin}/.rempart/id/${target}`);
      await looksRight(page, `${name}-${lang}-${width}`);
    };
    await show('account', 'account');
    assert.equal(await page.locator('main h2').count(), 2, 'the organisation’s pages, and one’s own');
    for (const link of await page.locator('main .links a').all()) assert.ok((await link.boundingBox()).height >= 32, 'room for a thumb');
    if (width === 360) assert.ok((await page.locator('.top').boundingBox()).height < 100, 'the navigation takes one line');
    await show('password', 'password');
    await show('password?error=present', 'password-error');
    await show('members', 'members');
    assert.match(await page.textContent('h1'), words.members);
    await page.locator('summary').first().focus();
    await page.keyboard.press('Enter'); // the keyboard opens it
    await page.getByRole('combobox').nth(1).waitFor({state: 'visible'});
    await looksRight(page, `members-open-${lang}-${width}`);
    await show('members?error=last', 'members-error');
    await show('recovery', 'recovery');
    await page.fill('[name=code]', await person.freshCode());
    await page.keyboard.press('Enter');
    await page.waitForSelector('.recovery');
    assert.match(await page.textContent('[role=status]'), words.codes);
    await looksRight(page, `recovery-shown-${lang}-${width}`);
    const codes = await page.locator('.recovery code').allInnerTexts(), code = codes[0];

    await show('reminders', 'reminders');
    await page.getByRole('radio', {name: words.hours}).first().check();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => `${document.activeElement.name} ${getComputedStyle(document.activeElement).outlineStyle}`), 'from solid', 'the focus is seen');
    await page.fill('[name=from]', '20:30');
    await page.fill('[name=to]', '08:00');
    await page.keyboard.press('Enter'); // from the keyboard, as everywhere
    await page.waitForURL(/done=saved/);
    assert.equal(await page.inputValue('[name=from]'), '20:30');
    assert.equal(await page.getByRole('radio', {name: words.hours}).first().isChecked(), true);
    await looksRight(page, `reminders-saved-${lang}-${width}`);
    await page.fill('[name=to]', '20:30');
    await page.keyboard.press('Enter');
    await page.waitForURL(/error=times/);
    assert.equal(await page.inputValue('[name=to]'), '08:00', 'nothing was changed');
    await looksRight(page, `reminders-error-${lang}-${width}`);

    await show('email', 'email');
    await show('email?error=present', 'email-error');
    await page.fill('[name=email]', `camille.${lang}@boulangerie-martin.example`);
    await page.fill('[name=present]', person.password);
    await page.fill('[name=code]', codes[1]);
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=asked/);
    await looksRight(page, `email-asked-${lang}-${width}`);
    const mailed = async (to, path) => /https:\/\/\S+/.exec(await until(path, () => server.mails.filter(mail => mail.to.includes(to))
      .map(mail => readMail(mail.text).body).find(body => body.includes(path))))[0];
    await page.goto(await mailed(person.email, 'email/stop'));
    await looksRight(page, `email-stop-${lang}-${width}`);
    await page.goto(await mailed(`camille.${lang}@boulangerie-martin.example`, 'email/confirm'));
    await looksRight(page, `email-confirm-${lang}-${width}`);
    await page.getByRole('button', {name: words.take}).click();
    await page.waitForURL(/done=changed/);
    await looksRight(page, `email-changed-${lang}-${width}`);
    await show('email?error=recent', 'email-recent');
    person.email = `camille.${lang}@boulangerie-martin.example`;
    await show('email/stop?done=stopped', 'email-stopped');

    await page.context().clearCookies();
    await page.goto(`${stack.origin}/.rempart/id/code`); // no sign-in has begun
    assert.equal(await page.locator('[role=status]').count(), 1);
    assert.equal(await page.locator('[aria-invalid]').count(), 0, 'nothing that was typed is wrong');
    await page.goto(`${stack.origin}/.rempart/id/sign-in`);
    await page.fill('[name=email]', person.email);
    await page.fill('[name=password]', person.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', {name: words.recovery}).click();
    await looksRight(page, `code-recovery-${lang}-${width}`);
    await page.fill('[name=code]', code);
    await Promise.all([page.waitForURL(url => url.pathname === '/' || url.pathname.endsWith('/account')), page.keyboard.press('Enter')]);
    await page.context().close();
  });
}

test('whoever may not see a page is told why, in their language, and where else to go', async () => {
  for (const [lang, why] of [['fr', 'aucun de vos rôles ne le permet'], ['en', 'none of your roles allows this']]) {
    const page = await pageIn(browser, {lang, width: 360, height: 740});
    await page.context().addCookies([{name: '__Host-rempart', value: lea.cookies['__Host-rempart'], url: stack.origin, secure: true}]);
    const answer = await page.goto(`${stack.origin}/.rempart/id/members`);
    assert.equal(answer.status(), 403);
    assert.equal((await page.textContent('[role=alert]')).trim(), why);
    assert.equal(await page.locator('main a').count(), 1);
    assert.deepEqual(await accessibility(page), []);
    await page.goto(spent);
    assert.equal(await page.getAttribute('main a', 'href'), '/.rempart/id/sign-in', 'a link that is over leads on');
    await page.context().close();
  }
});
