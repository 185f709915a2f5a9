/** InspectionText: what the user of `--inspect` will see, and whose it is. Our own observer is named first. */
import type { Started } from './start-report.ts';

/** @returns nothing where nothing is streamed. */
export function inspectionText({ inspectionUrl, observerUrl }: Pick<Started, 'inspectionUrl' | 'observerUrl'>): string {
  if (inspectionUrl === undefined) return '';
  const ours = observerUrl === undefined ? 'with --observer at /_observer' : `at ${observerUrl}`;
  return `
The processes at work are shown by Armature's own observer, ${ours}: look there first.
--inspect streams them in xstate's inspection protocol too, at ${inspectionUrl}. Tools that know the protocol
connect there. The page there can load Stately's inspector: a page of stately.ai, not ours, which needs the internet,
and is given the stream in your browser. It lists actors, and draws the statechart of the one that is chosen.
`;
}
