// core.mjs — what the command line asks of core: one request by FastCGI over run/cli.sock, its JSON answer.
//
//   await askCore(stack, 'POST', 'backup/hold', {});    // /.rempart/api/v1/admin/backup/hold
import net from 'node:net';

const [BEGIN, END, PARAMS, STDIN, STDOUT] = [1, 3, 4, 5, 6];
const record = (type, content) => Buffer.concat([Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
const pair = ([name, value]) => {
  const [a, b] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.from([a.length, b.length]), a, b]); // each under 128 bytes
};

export function askCore(stack, method, target, body) {
  const path = `/.rempart/api/v1/admin/${target}`, bytes = Buffer.from(JSON.stringify(body));
  const params = {REQUEST_METHOD: method, REQUEST_URI: path, DOCUMENT_URI: path, CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: String(bytes.length), HTTP_ACCEPT: 'application/json'};
  const none = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    let answer = none, out = none;
    const socket = net.connect(stack.file('run/cli.sock'), () => socket.write(Buffer.concat([
      record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])), record(PARAMS, Buffer.concat(Object.entries(params).map(pair))), record(PARAMS, none),
      record(STDIN, bytes), record(STDIN, none)])));
    socket.on('error', reject).on('close', () => reject(new Error('core hung up')));
    socket.on('data', data => {
      answer = Buffer.concat([answer, data]);
      while (answer.length >= 8) {
        const n = answer.readUInt16BE(4), type = answer[1], whole = 8 + n + answer[6];
        if (answer.length < whole) return;
        if (type === STDOUT) out = Buffer.concat([out, answer.subarray(8, 8 + n)]);
        answer = answer.subarray(whole);
        if (type !== END) continue;
        socket.removeAllListeners('close').destroy();
        const text = out.toString();
        resolve(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4) || 'null'));
      }
    });
  });
}
