// The application firewall is switched off, or loses its rules, or refuses everybody; the page says so.
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {editFile, editGate, turnsRed} from '../lib/sabotage.mjs';
import {Stack, run, bin} from '../lib/stack.mjs';
import path from 'node:path';

let stack;
before(async () => { stack = await Stack.start({app: null}); });
after(() => stack?.stop());

const restarted = async text => {
  const back = editFile(stack.file('rempart.yaml'), before => before + text);
  await stack.down();
  await stack.up();
  return async () => { back(); await stack.down(); await stack.up(); };
};

/*= S58, S64 type=test */
test('waf.mode: off turns S58 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'application-firewall', probe: 'waf.attacks_blocked',
    sabotage: async () => { back = await restarted('waf: {mode: "off"}\n'); },
    mend: () => back(),
  });
});

/*= S64 type=test */
test('an image without the rules turns S64 red', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'owasp-defences', probe: 'waf.owasp_classes',
    sabotage: async () => {
      const empty = stack.file('empty.conf'), image = stack.file('gate/rules.waf'), good = fs.readFileSync(image);
      fs.writeFileSync(empty, 'SecAction "id:1,phase:1,pass,nolog"\n');
      await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', empty, '-o', image]);
      const restored = await editGate(stack, text => `${text}# again\n`);
      back = async () => { fs.writeFileSync(image, good); await restored(); };
    },
    mend: () => back(),
  });
});

/*= S58 type=test */
test('rules that refuse what people write turn S58 red as well', async () => {
  let back;
  await turnsRed(stack, {
    promise: 'application-firewall', probe: 'waf.benign_passes',
    sabotage: async () => {
      const rules = stack.file('zealous.conf'), image = stack.file('gate/rules.waf'), good = fs.readFileSync(image);
      fs.writeFileSync(rules, 'SecRule ARGS|REQUEST_URI "@rx (?i)select|page" "id:1,phase:2,deny,status:403"\n');
      await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', rules, '-o', image]);
      const restored = await editGate(stack, text => `${text}# again\n`);
      back = async () => { fs.writeFileSync(image, good); await restored(); };
    },
    mend: () => back(),
  });
});
