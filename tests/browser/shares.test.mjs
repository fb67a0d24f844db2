// The pages of links that share and of grants: what a visitor without an account sees, and the administrators' lists.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {accessibility, browserFor, overflows, pageIn, picture} from '../lib/browser.mjs';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack} from '../lib/stack.mjs';

let stack, browser, links, client;
before(async () => {
  stack = await Stack.start({app: null});
  browser = await browserFor(stack);
  let api;
  ({client, api} = await canaryPerson(stack, 0));
  const long = encodeURIComponent('Procès-verbal-de-l-assemblée-générale-extraordinaire-du-douze-novembre-version-définitive.pdf');
  const {json: file} = await api('POST', `files/meetings?name=${long}`, 'x', {'content-type': 'application/pdf'});
  const {json: record} = await api('POST', 'spaces/meetings',
    {sujet: 'Réunion', lieu: 'Salle 3', participants: ['Ann', 'Bob'], 'très-long': 'a'.repeat(200)});
  const share = body => api('POST', 'shares', body).then(({json}) => new URL(json.link).pathname);
  links = {
    file: () => share({kind: 'file', collection: 'meetings', id: file.id, uses: 1}),
    secret: () => share({kind: 'file', collection: 'meetings', id: file.id, password: 'a long password'}),
    record: () => share({kind: 'record', collection: 'meetings', id: record.id}),
  };
});
after(async () => { await browser?.close(); await stack?.stop(); });

async function looksRight(page, name, width, lang) {
  assert.ok((await page.locator('h1').innerText()).length > 4);
  assert.equal(await page.locator('script').count(), 0, name);
  assert.equal(await overflows(page), false, `${name} is wider than its window`);
  assert.deepEqual(await accessibility(page), [], name);
  await picture(page, `${name}-${lang}-${width}`);
}

for (const lang of ['fr', 'en']) {
  for (const width of [360, 1440]) {
    test(`links that share, in ${lang} at ${width} pixels`, async () => {
      const page = await pageIn(browser, {lang, width, height: width === 360 ? 740 : 900});
      await page.goto(stack.origin + await links.file());
      await looksRight(page, 'share-file', width, lang);
      assert.match(await page.locator('dl').innerText(), lang === 'fr' ? /^1\u00a0octet$/m : /^1\u00a0byte$/m);
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('main button').click()]);
      assert.match(download.suggestedFilename(), /Procès-verbal/);
      await page.goto(stack.origin + await links.secret());
      await page.fill('#password', 'not the password');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=alert]');
      await looksRight(page, 'share-password', width, lang);
      await page.goto(stack.origin + await links.record());
      await page.locator('main button').click();
      await page.waitForSelector('dd');
      assert.match(await page.locator('main').innerText(), /Salle 3/);
      await looksRight(page, 'share-record', width, lang);
      assert.deepEqual(page.problems, []);
      await page.goto(`${stack.origin}/.rempart/share/${'0'.repeat(32)}/x`);
      await looksRight(page, 'share-unknown', width, lang);
      await page.context().addCookies([{name: '__Host-rempart', value: client.cookies['__Host-rempart'], url: stack.origin, secure: true}]);
      await page.goto(`${stack.origin}/.rempart/id/shares`);
      await looksRight(page, 'shares', width, lang);
      await page.goto(`${stack.origin}/.rempart/id/grants`);
      await page.locator('button[value=give]').click();
      await page.waitForSelector('[data-grant]');
      await looksRight(page, 'grants', width, lang);
      await page.goto(`${stack.origin}/.rempart/id/export`);
      await looksRight(page, 'export', width, lang);
      assert.match(await page.locator('dl').innerText(), lang === 'fr' ? /\d,\d\u00a0[kM]o$|\d octets?$/m : /\d\.\d\u00a0[kM]B$|\d\u00a0bytes$/m);
      const [archive] = await Promise.all([page.waitForEvent('download'), page.locator('main button').click()]);
      assert.match(archive.suggestedFilename(), /^rempart-export-.*\.tar\.gz$/);
      assert.equal(await archive.failure(), null);
      await page.context().close();
    });
  }
}
