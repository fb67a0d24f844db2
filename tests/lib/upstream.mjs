// upstream.mjs — an application that says what it received: for what the gate adds and takes away.
import http from 'node:http';

export async function echoApp({setCookie} = {}) {
  const seen = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      const one = {method: request.method, url: request.url, headers: request.headers,
        rawHeaders: request.rawHeaders, body: Buffer.concat(parts).toString('utf8')};
      seen.push(one);
      response.setHeader('content-type', 'application/json');
      if (setCookie) response.setHeader('set-cookie', setCookie);
      response.end(JSON.stringify(one));
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`, seen,
    close: () => new Promise(resolve => { server.closeAllConnections?.(); server.close(resolve); }),
  };
}
