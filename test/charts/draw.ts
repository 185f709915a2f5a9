/** `npm run charts`: draws every machine into docs/charts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { pages } from './charts.ts';

const folder = new URL('../../docs/charts/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const { fileName, text } of pages()) writeFileSync(new URL(fileName, folder), text);
