import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startInspectionServer, type InspectionOptions } from '../../src/observer/inspection-server.ts';
import { createRuntime, type Runtime } from '../../src/otp/runtime.ts';
import { handOverTree } from '../support/actors/hand-over-tree.ts';
import { InspectionClient } from '../support/service/inspection-client.ts';

/** A tree that runs by itself, and a server on it that counts who observes. */
async function serveTree(options: Partial<InspectionOptions> = {}) {
  const runtime = createRuntime();
  const tree = await runtime.start(handOverTree(), { id: 'tree' });
  const observed = new ObservedRuntime(runtime);
  const server = await startInspectionServer({ runtime: observed, port: 0, ...options });
  onTestFinished(async () => {
    await server.close();
    await runtime.stop(tree);
  });
  return { runtime, server, observed };
}

class ObservedRuntime implements Pick<Runtime, 'inspect'> {
  observerCount = 0;
  private whenLeft: () => void = () => undefined;
  /** Resolves when the first observer has gone. */
  readonly left = new Promise<void>((resolve) => (this.whenLeft = resolve));

  constructor(private readonly runtime: Runtime) {}

  inspect: Runtime['inspect'] = (observer) => {
    this.observerCount += 1;
    const stop = this.runtime.inspect(observer);
    return () => {
      this.observerCount -= 1;
      stop();
      this.whenLeft();
    };
  };
}

interface Ending {
  readonly code: number;
  readonly reason: string;
}

function connect(url: string, origin?: string) {
  const socket = new WebSocket(url.replace('http', 'ws'), origin === undefined ? {} : { origin });
  const answer = new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
  const ended = new Promise<Ending>((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  socket.on('error', () => undefined); // Its `close` follows.
  return { socket, answer, ended };
}

test('a hand-over between two machines is received in order, those who live coming first', async () => {
  const { runtime, server } = await serveTree();
  const client = new InspectionClient(server.url);
  await client.until(() => true);

  runtime.send('@follower', { type: 'follow' });
  await client.untilDelivered('tree/follower#3', 'appended');

  expect(client.story()).toEqual([
    'node is "active"',
    'tree#1 is "running"',
    'tree/keeper#2 is {}',
    'tree/follower#3 is "idle"',
    'tree/port#4 is "active"',
    'outside → tree/follower#3 follow',
    'tree/follower#3 is "subscribing"',
    'tree/follower#3 → tree/keeper#2 subscribe',
    'tree/keeper#2 → tree/follower#3 subscribed',
    'tree/follower#3 is "live"',
    'tree/keeper#2 → tree/follower#3 appended',
  ]);
});

test('both machines can be drawn, in the order in which their states were written', async () => {
  const { server } = await serveTree();
  const client = new InspectionClient(server.url);
  await client.until((event) => event.type === '@xstate.actor' && event.name === 'tree/port#4');

  const definitions = ['tree/keeper#2', 'tree/follower#3'].map((name) => client.definitionOf(name));
  expect(definitions.map(({ id, states }) => [id, Object.keys(states ?? {})])).toEqual([
    ['keeper', []],
    ['follower', ['idle', 'subscribing', 'live']],
  ]);
});

test('nobody observes while nobody is connected', async () => {
  const { server, observed } = await serveTree();
  const before = observed.observerCount;
  const { socket, answer } = connect(server.url);
  await answer;
  const during = observed.observerCount;

  socket.close();
  await observed.left;

  expect({ before, during, after: observed.observerCount }).toEqual({ before: 0, during: 1, after: 0 });
});

describe('who may read', () => {
  test.each([
    ['no browser', undefined, 101],
    ['the visualizer', 'https://stately.ai', 101],
    ['a page from this machine', 'http://localhost:5173', 101],
    ['the page served here, by address', 'http://127.0.0.1:3001', 101],
    ['a page from elsewhere', 'https://example.com', 403],
    ['a page that looks like this machine', 'http://127.0.0.1.example.com', 403],
    ['a page that looks like the visualizer', 'https://stately.ai.example.com', 403],
    ['the visualizer, as anybody on the way can write it', 'http://stately.ai', 403],
    ['a page without an origin', 'null', 403],
  ])('%s', async (_, origin, status) => {
    const { server } = await serveTree();

    const { answer } = connect(server.url, origin);

    expect(await answer).toBe(status);
  });

  test('not more than a few at once', async () => {
    const { server } = await serveTree();
    for (let count = 0; count < 4; count += 1) await connect(server.url).answer;

    expect(await connect(server.url).answer).toBe(503);
  });
});

test('a reader that does not keep up is dropped, and the service goes on', async () => {
  const { runtime, server, observed } = await serveTree({ unsentBytesMax: 1_000_000 });
  const { socket, answer, ended } = connect(server.url);
  await answer;
  socket.pause();

  const text = 'x'.repeat(100_000);
  for (let count = 0; count < 400; count += 1) runtime.send('@follower', { type: 'tell', text });
  await observed.left;
  socket.resume();

  expect({ ended: await ended, isAlive: runtime.whereis('@follower') }).toEqual({
    ended: { code: 1006, reason: '' },
    isAlive: 'tree/follower#3',
  });
});

test('what cannot be shown ends the stream, not the process', async () => {
  const { runtime, server } = await serveTree();
  const { answer, ended } = connect(server.url);
  await answer;
  const circle: { type: 'tell'; self?: unknown } = { type: 'tell' };
  circle.self = circle;

  runtime.send('@follower', circle);

  expect({ ended: await ended, isAlive: runtime.whereis('@follower') }).toEqual({
    ended: { code: 1011, reason: 'TypeError' },
    isAlive: 'tree/follower#3',
  });
});

test('a reader that talks is cut off', async () => {
  const { server, observed } = await serveTree();
  const { socket, answer, ended } = connect(server.url);
  await answer;

  socket.send('x'.repeat(2000));
  await observed.left;

  expect((await ended).code).toBe(1009);
});

test('closing ends the streams and frees the port', async () => {
  const { server } = await serveTree();
  const { answer, ended } = connect(server.url);
  await answer;

  await server.close();
  const again = await serveTree({ port: Number(new URL(server.url).port) });

  expect({ code: (await ended).code, url: again.server.url }).toEqual({ code: 1006, url: server.url });
});

test('a port that is taken is said so, with what to do', async () => {
  const { server } = await serveTree();

  const port = Number(new URL(server.url).port);

  await expect(serveTree({ port })).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken: choose another for the inspection stream, or 0 for any.`,
  );
});

describe('the page for a browser', () => {
  test('says what there is and whose it is, our observer first, and loads nothing of others by itself', async () => {
    const { server } = await serveTree({ observerUrl: () => 'http://0.0.0.0:3000/_observer' });

    const page = await fetch(server.url);

    const text = await page.text();
    const [before = '', behind = ''] = text.split('href="http://127.0.0.1:3000/_observer"');
    expect({
      named: [before, behind].map((part) => part.includes('stately.ai')),
      loads: /src="(?!\/relay\.js")|<iframe/.test(text),
    }).toEqual({ named: [false, true], loads: false });
  });

  test('says how the observer is turned on where it is off, and writes no markup of an address', async () => {
    const texts = [undefined, 'http://host/"><script>'].map(async (url) => {
      const { server } = await serveTree({ observerUrl: () => url });
      return await (await fetch(server.url)).text();
    });

    const [off = '', hostile = ''] = await Promise.all(texts);

    expect({ off: off.includes('<code>--observer</code>'), markup: hostile.includes('"><script>') }).toEqual({ off: true, markup: false });
  });

  test('may frame the inspector of stately.ai, and do little else', async () => {
    const { server } = await serveTree();

    const page = await fetch(server.url);

    expect({ status: page.status, policy: page.headers.get('content-security-policy') }).toEqual({
      status: 200,
      policy: expect.stringContaining(`connect-src 'self' ws://127.0.0.1:${new URL(server.url).port}`) as unknown,
    });
  });

  test('loads the inspector for who asks for it, and hands the stream to that and nobody else', async () => {
    const { server } = await serveTree();
    const script = await (await fetch(`${server.url}/relay.js`)).text();
    const listeners: ((message: object) => void)[] = [];
    let click = (): void => {};
    let framed: { src?: string } | undefined;
    const posted = new Promise<unknown>((resolve) => {
      const frame = {
        contentWindow: { postMessage: (message: { type: string }, target: string) => resolve([message.type, target]) },
      };
      const button = { addEventListener: (_type: string, listener: () => void) => (click = listener) };
      const main = { replaceWith: (element: object) => (framed = element) };
      const querySelector = (selector: string) => (selector === 'button' ? button : main);
      const document = { querySelector, createElement: () => frame, title: '' };
      const addEventListener = (_type: string, listener: (message: object) => void) => listeners.push(listener);
      runInNewContext(script, { document, addEventListener, location: new URL(server.url), WebSocket });
    });
    const before = framed;

    click();
    for (const origin of ['https://example.com', 'https://stately.ai']) listeners[0]?.({ origin, data: { type: '@statelyai.connected' } });

    expect({ before, posted: await posted, src: framed?.src }).toEqual({
      before: undefined,
      posted: ['@xstate.actor', 'https://stately.ai'],
      src: 'https://stately.ai/inspect',
    });
  });

  test('is all there is', async () => {
    const { server } = await serveTree();

    const answers = await Promise.all([fetch(`${server.url}/else`), fetch(server.url, { method: 'POST' })]);

    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  });
});
