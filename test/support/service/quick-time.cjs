// Loaded before a program (node --require): its time goes so many times as fast as QUICK_TIME says, in its threads too, from the start on
// or, where QUICK_TIME_FROM names a signal, from that. What it asks of the system (sockets, files, other programs) takes as long as ever.
const { isMainThread } = require('node:worker_threads');

const from = process.env.QUICK_TIME_FROM;
const { setTimeout } = globalThis;
let times = 1;

function hurry() {
  times = Number(process.env.QUICK_TIME);
}

if (from === undefined) hurry();
else if (isMainThread) process.once(from, hurry);

globalThis.setTimeout = Object.defineProperties(
  (callback, delayMs = 0, ...args) => setTimeout(callback, delayMs / times, ...args),
  Object.getOwnPropertyDescriptors(setTimeout),
);
for (const source of [performance, Date]) {
  const now = source.now.bind(source);
  let lastMs = now();
  let toldMs = lastMs;
  source.now = () => {
    const nowMs = now();
    toldMs += (nowMs - lastMs) * times;
    lastMs = nowMs;
    return toldMs;
  };
}
