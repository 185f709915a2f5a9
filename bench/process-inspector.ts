/** The inspector of another process of ours, a Node with `--inspect`: what is in its heap once the garbage has gone. */
import WebSocket from 'ws';
import { once } from 'node:events';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
import { pause } from '../src/base/pause.ts';

export interface ProcessMemory {
  readonly heapBytes: number;
  readonly arrayBufferBytes: number;
  readonly residentBytes: number;
  /** User and system time so far, all threads. */
  readonly cpuMicros: number;
}

export interface ProcessInspector {
  collectGarbage(): Promise<void>;
  memory(): Promise<ProcessMemory>;
  close(): void;
}

const OPEN_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 10;
const EXPRESSION = `(() => {
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { heapBytes: heapUsed, arrayBufferBytes: arrayBuffers, residentBytes: rss, cpuMicros: user + system };
})()`;

/** Of one whose inspector listens there, or will do so soon. */
export async function inspectProcess(port: number): Promise<ProcessInspector> {
  const targets = (await (await listeningAt(port)).json()) as { webSocketDebuggerUrl: string }[];
  const address = targets[0]?.webSocketDebuggerUrl;
  invariant(address !== undefined, 'a process with an inspector is its first target');
  const socket = new WebSocket(address);
  await once(socket, 'open');
  const waiting = new Map<number, (result: unknown) => void>();
  socket.on('message', (text: Buffer) => {
    const { id, result } = JSON.parse(text.toString()) as { id: number; result: unknown };
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let asked = 0;
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((done) => {
      asked += 1;
      waiting.set(asked, done);
      socket.send(JSON.stringify({ id: asked, method, params }));
    });
  return {
    collectGarbage: async () => void (await ask('HeapProfiler.collectGarbage')),
    async memory() {
      const answer = await ask('Runtime.evaluate', { expression: EXPRESSION, returnByValue: true });
      return (answer as { result: { value: ProcessMemory } }).result.value;
    },
    close: () => socket.close(),
  };
}

async function listeningAt(port: number): Promise<Response> {
  for (const deadline = AbortSignal.timeout(OPEN_WITHIN_MS); ; await pause(systemClock, ASK_EVERY_MS)) {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`).catch((error: unknown) => {
      if (deadline.aborted) throw error;
    });
    if (response !== undefined) return response;
  }
}
