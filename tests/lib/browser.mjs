// browser.mjs — Debian's Chromium on an installation, trusting its local authority and nothing else.
import {chromium} from 'playwright-core';
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';
import {run} from './stack.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// A browser whose home holds the installation's CA in NSS: names are checked for real.
export async function browserFor(stack) {
  const home = stack.file('browser-home');
  const nss = `sql:${path.join(home, '.pki/nssdb')}`;
  fs.mkdirSync(path.join(home, '.pki/nssdb'), {recursive: true});
  for (const args of [['-N', '--empty-password'], ['-A', '-t', 'C,,', '-n', 'rempart', '-i', stack.file('gate/tls/ca.pem')]]) {
    const {code, stderr} = await run('certutil', ['-d', nss, ...args]);
    if (code !== 0) throw new Error(`certutil: ${stderr}`);
  }
  return chromium.launch({
    executablePath: '/usr/bin/chromium', headless: true, env: {...process.env, HOME: home, LANG: 'C.UTF-8'}, // or it names no file with an accent
    args: ['--disable-background-networking', '--disable-component-update',
      '--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE localhost,EXCLUDE 127.0.0.1'],
  });
}

export async function pageIn(browser, {lang = 'en', width = 1440, height = 900, dark = false, userAgent} = {}) {
  const context = await browser.newContext({locale: lang === 'fr' ? 'fr-FR' : 'en-GB', viewport: {width, height},
    colorScheme: dark ? 'dark' : 'light', userAgent});
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.problems = [];
  page.on('pageerror', error => page.problems.push(String(error)));
  page.on('console', message => { if (message.type() === 'error') page.problems.push(message.text()); });
  return page;
}

// A virtual authenticator behind this page: "internal" is built in (Touch ID), "usb" is carried about (YubiKey).
export async function authenticatorOn(page, transport, {verifies = true, ...options} = {}) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', {enableUI: false}); // without it the page waits for ever
  const {authenticatorId} = await cdp.send('WebAuthn.addVirtualAuthenticator', {options: {protocol: 'ctap2', transport,
    hasResidentKey: true, hasUserVerification: verifies, isUserVerified: verifies, automaticPresenceSimulation: true, ...options}});
  return {
    send: (method, more = {}) => cdp.send(`WebAuthn.${method}`, {authenticatorId, ...more}),
    credentials: async () => (await cdp.send('WebAuthn.getCredentials', {authenticatorId})).credentials,
    remove: () => cdp.send('WebAuthn.removeVirtualAuthenticator', {authenticatorId}),
  };
}

// WCAG 2.2 AA, as axe sees it: [] or what is wrong, shortly.
export async function accessibility(page) {
  await page.evaluate(axeSource);
  const {violations} = await page.evaluate(() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']}));
  return violations.map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`);
}

// No page may be wider than its window.
export const overflows = page => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);

export async function picture(page, name) {
  if (!process.env.REMPART_PICTURES) return;
  fs.mkdirSync(process.env.REMPART_PICTURES, {recursive: true});
  await page.screenshot({path: path.join(process.env.REMPART_PICTURES, `${name}.png`), fullPage: true});
}
