/** `npm run replay -- FILE`: a window that was downloaded from the observer, or a scenario, on the machines as they are now. */
import { readFileSync } from 'node:fs';
import { toldReplay, type ToldReplay } from './told-replay.ts';

const [name] = process.argv.slice(2);
const asked: ToldReplay = { code: 2, text: 'Say which file: npm run replay -- window.json' };
const { code, text } = name === undefined ? asked : await toldReplay(readFileSync(name, 'utf8'));
process[code === 0 ? 'stdout' : 'stderr'].write(`${text}\n`);
process.exitCode = code;
