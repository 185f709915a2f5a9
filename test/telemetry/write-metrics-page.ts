/** `npm run metrics-page`: lists the metrics of the catalogue on their page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { drawnPage, metricsPage } from './metrics-page.ts';

writeFileSync(metricsPage, drawnPage(readFileSync(metricsPage, 'utf8')));
