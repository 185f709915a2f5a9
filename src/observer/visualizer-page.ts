/**
 * Visualizer page: says what can be looked at and whose it is, and shows Stately's inspector to who asks for it.
 *
 * The inspector is a page of stately.ai that takes messages from the window around it. So this page, served from here, frames it and
 * passes the stream on, inside the user's browser; nothing is sent anywhere by us, but what that page does is its own affair. So nothing
 * of it is loaded before the user has read this and chosen it. The stream is opened when the inspector is ready for it, and begins anew
 * when that does.
 */
import { visitable } from '../base/visitable-url.ts';

const VISUALIZER = 'https://stately.ai';

export const VISUALIZER_ORIGIN = VISUALIZER;

const STYLE = `
html, body { margin: 0; height: 100%; font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark }
html { background: Canvas; color: CanvasText }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem }
button { font: inherit; padding: .4rem .8rem }
iframe { width: 100%; height: 100%; border: 0; display: block }
`;

const OURS = (observerUrl: string): string =>
  `<p><a href="${escaped(observerUrl)}">Armature’s own observer</a> shows the tree of processes, their statecharts, messages, shapes and
deaths. It is served by the service itself, and loads nothing from elsewhere. Look there first.</p>`;

const NONE = `<p>Armature’s own observer is off: it is on where the service listens on this machine only, and with <code>--observer</code>
at <code>/_observer</code> on the port of the service.</p>`;

const page = (ours: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Armature: processes</title>
<style>${STYLE}</style>
<main>
<h1>What the processes do</h1>
${ours}
<h2>Stately’s inspector</h2>
<p>Here is a stream in xstate’s own inspection protocol: every actor, its machine, and each event and transition from now on. A tool that
knows the protocol reads it as a WebSocket at this address.</p>
<p>Stately’s inspector draws such a stream: a list of actors, and the statechart of the one that you choose. It is a page of
<strong>stately.ai</strong>, not ours: your browser loads it from there, and it is given the stream, with states and events as they are.
What it does with them, and whether it can be reached, is up to its makers. Without a way to the internet it stays empty.</p>
<button type="button">Load the inspector from stately.ai</button>
</main>
<script src="/relay.js"></script>
</html>
`;

const RELAY = `let frame;
let stream;
document.querySelector('button').addEventListener('click', () => {
  frame = document.createElement('iframe');
  frame.title = 'Inspector of stately.ai';
  frame.src = '${VISUALIZER}/inspect';
  document.querySelector('main').replaceWith(frame);
});
addEventListener('message', ({ origin, data }) => {
  if (origin !== '${VISUALIZER}' || data?.type !== '@statelyai.connected') return;
  stream?.close();
  const opened = (stream = new WebSocket('ws://' + location.host));
  opened.onmessage = ({ data }) => frame.contentWindow.postMessage(JSON.parse(data), '${VISUALIZER}');
  opened.onclose = () => {
    if (stream === opened) document.title = 'Armature: the stream has ended';
  };
});
`;

export interface Page {
  readonly contentType: string;
  readonly body: string;
}

/**
 * @param path as it was asked for.
 * @param observerUrl where the service shows itself; undefined where it does not.
 * @returns undefined for what is not there.
 */
export function pageAt(path: string, observerUrl: string | undefined): Page | undefined {
  if (path === '/relay.js') return { contentType: 'text/javascript; charset=utf-8', body: RELAY };
  if (path !== '/') return undefined;
  const ours = observerUrl === undefined ? NONE : OURS(visitable(observerUrl));
  return { contentType: 'text/html; charset=utf-8', body: page(ours) };
}

/** Scripts from here, frames from there, sockets to here: nothing else. */
export function contentPolicy(port: number): string {
  const sockets = ['127.0.0.1', 'localhost'].map((host) => `ws://${host}:${port}`).join(' '); // No policy can name an address of IPv6.
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'unsafe-inline'",
    `frame-src ${VISUALIZER}`,
    `connect-src 'self' ${sockets}`,
    "frame-ancestors 'none'",
  ].join('; ');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
