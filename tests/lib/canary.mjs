// canary.mjs — a canary's person, and what the canaries' application says with the assertion it has just received.
//
//   const {client, api} = await canaryPerson(stack, 0);
//   await api('POST', 'spaces/notes', {text: 'x'});     // an object is JSON; text and bytes go as they are
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import {until} from './stack.mjs';

// A probe ends every other session of the first canary. It has its turn now, and the next one in an hour.
const sessionsAreLeftAlone = stack => until('the probe of sessions', async () => {
  const {parts} = await stack.probe('account-watch');
  return parts.find(part => part.id === 'session-revoked').status === 'proven';
}, {seconds: 60});

export async function canaryPerson(stack, index, {lang = 'en'} = {}) {
  const {app_token: token, people} = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8'));
  const {email, password, seed} = people[index];
  if (index === 0) await sessionsAreLeftAlone(stack);
  const client = stack.client({lang});
  Object.assign(client, {email, password, seed});
  // The probes sign in with the same codes, and a code counts once.
  const present = async () => {
    let answer = await client.get('/.rempart/canary/');
    for (let i = 0; i < 8 && answer.status !== 200; i++) {
      await client.signIn();
      answer = await client.get('/.rempart/canary/');
    }
    assert.equal(answer.status, 200, `canary ${index} signs in`);
    return answer.json();
  };
  await present();
  const heads = async () => ({host: 'localhost', accept: 'application/json', 'accept-language': lang, authorization: `Bearer ${token}`,
    'rempart-assertion': (await present()).assertion});
  // Over run/api.sock. body: an object, text, bytes, or a function that writes into the request.
  const api = async (method, target, body, headers = {}) => {
    const isJson = body && typeof body === 'object' && !Buffer.isBuffer(body);
    const bytes = isJson ? Buffer.from(JSON.stringify(body)) : typeof body === 'string' ? Buffer.from(body) : body;
    const all = {...await heads(), ...(isJson && {'content-type': 'application/json'}), ...headers};
    if (Buffer.isBuffer(bytes) && !all['transfer-encoding']) all['content-length'] = bytes.length;
    return new Promise((resolve, reject) => {
      const request = http.request({socketPath: stack.file('run/api.sock'), method, path: `/.rempart/api/v1/${target}`, headers: all});
      request.on('response', response => {
        const chunks = [];
        response.on('data', chunk => chunks.push(chunk)).on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          const json = /json/.test(response.headers['content-type'] ?? '') && whole.length ? JSON.parse(whole) : null;
          resolve({status: response.statusCode, headers: response.headers, bytes: whole, json});
        });
      });
      request.on('error', reject);
      if (typeof bytes === 'function') bytes(request);
      else request.end(bytes);
    });
  };
  return {client, api, heads, token};
}
