// The gate's certificate is left to end, replaced by a stranger's, or made for another name; the
// page says so, and the first of these before anybody is shut out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack, run} from '../lib/stack.mjs';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

async function openssl(...args) {
  const {code, stderr} = await run('openssl', args, {cwd: stack.state});
  assert.equal(code, 0, stderr);
}
const day = at => new Date(Date.now() + at * 86400e3).toISOString().replace(/[-:T]|\..*$/g, '').slice(2) + 'Z';

// A certificate of the installation's own authority (or of nobody's), valid from one day to another.
async function make(name, {from, until, host = 'localhost', own = true}) {
  const at = file => stack.file('gate/tls', file);
  fs.writeFileSync(at(`${name}.cnf`), `[ca]\ndefault_ca=a\n[a]\ndatabase=${at(`${name}.db`)}\nserial=${at(`${name}.srl`)}\n` +
    `new_certs_dir=${at('.')}\ndefault_md=sha256\npolicy=p\nx509_extensions=x\nunique_subject=no\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:${host}\n` +
    '[req]\ndistinguished_name=d\n[d]\n');
  fs.writeFileSync(at(`${name}.db`), '');
  fs.writeFileSync(at(`${name}.srl`), '01');
  await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at(`${name}.key`),
    '-out', at(`${name}.csr`), '-subj', `/CN=${host}`, '-config', at(`${name}.cnf`));
  const ca = own ? ['-cert', at('ca.pem'), '-keyfile', at('ca.key')] : ['-selfsign', '-keyfile', at(`${name}.key`)];
  await openssl('ca', '-batch', '-config', at(`${name}.cnf`), '-in', at(`${name}.csr`), '-out', at(`${name}.pem`), '-notext',
    '-startdate', day(from), '-enddate', day(until), ...ca);
  return text => text.replace(/ssl_certificate "[^"]*";/, `ssl_certificate "${at(`${name}.pem`)}";`)
    .replace(/ssl_certificate_key "[^"]*";/, `ssl_certificate_key "${at(`${name}.key`)}";`);
}

/*= S73, S75 type=test */
for (const [title, promise, facts] of [
  ['a certificate that was not renewed turns S73 red before it ends', 'tls-everywhere', {from: -85, until: 5}],
  ['a certificate that has ended turns S75 red', 'tls-both-parties', {from: -90, until: -1}],
  ['a certificate for another name turns S75 red', 'tls-both-parties', {from: -1, until: 90, host: 'example.com'}],
  ['a certificate that nobody vouches for turns S75 red', 'tls-both-parties', {from: -1, until: 90, own: false}],
]) {
  test(title, async () => {
    const edit = await make(`c${facts.until}${facts.host ?? ''}${facts.own ?? ''}`, facts);
    let back;
    await turnsRed(stack, {
      promise, probe: 'tls.server_identity',
      sabotage: async () => { back = await editGate(stack, edit); },
      mend: () => back(),
    });
  });
}

/*= S75 type=test */
test('a place that no longer asks for the certificate turns S75 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'tls-both-parties', probe: 'tls.client_identity',
    sabotage: async () => { back = await editGate(stack, text => text.replace(/ssl_verify_client on;/g, 'ssl_verify_client optional_no_ca;')); },
    mend: () => back(),
  });
});

test('`gate certificates` says what the gate shows', async () => {
  const {code, stdout} = await stack.rempart('gate', 'certificates', '--json');
  assert.equal(code, 0);
  const [one] = JSON.parse(stdout).certificates;
  assert.ok(one.names.includes('localhost') && one.names.includes('127.0.0.1'));
  assert.match(one.issuer, /Rempart local authority/);
  assert.ok(one.days_left > 390 && one.days_left <= 397);
  assert.match((await stack.rempart('gate', 'certificates')).stdout, /days left/);
});
