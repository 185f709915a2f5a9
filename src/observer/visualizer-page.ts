/**
 * Visualizer page: shows Stately's visualizer, and hands it our stream.
 *
 * The visualizer is a page of stately.ai that takes messages from the window around it. So this page, served from here,
 * frames it and passes the stream on, inside the user's browser; nothing is sent anywhere. The stream is opened when
 * the visualizer is ready for it, and begins anew when the visualizer does.
 */
const VISUALIZER = 'https://stately.ai';

export const VISUALIZER_ORIGIN = VISUALIZER;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Armature: processes</title>
<style>html, body { margin: 0; height: 100% } iframe { width: 100%; height: 100%; border: 0; display: block }</style>
<iframe src="${VISUALIZER}/inspect" title="Visualizer"></iframe>
<script src="/relay.js"></script>
</html>
`;

const RELAY = `const frame = document.querySelector('iframe');
let stream;
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

export const PAGES: Readonly<Record<string, Page>> = {
  '/': { contentType: 'text/html; charset=utf-8', body: PAGE },
  '/relay.js': { contentType: 'text/javascript; charset=utf-8', body: RELAY },
};

/** Scripts from here, frames from there, sockets to here: nothing else. */
export function contentPolicy(port: number): string {
  const sockets = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `ws://${host}:${port}`).join(' ');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'unsafe-inline'",
    `frame-src ${VISUALIZER}`,
    `connect-src 'self' ${sockets}`,
    "frame-ancestors 'none'",
  ].join('; ');
}
