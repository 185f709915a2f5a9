/** The list of metrics on docs/metrics.md, as the catalogue has them. */
import { METRICS, type MetricSpec } from '../../src/telemetry/metrics/catalogue.ts';

export const metricsPage = new URL('../../docs/metrics.md', import.meta.url);

const BEGIN = '<!-- metrics: drawn by `npm run metrics-page` -->\n';
const END = '<!-- end of metrics -->\n';

/** @param page as it is. @returns it with the list that it should have. */
export function drawnPage(page: string): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  const list = Object.values<MetricSpec>(METRICS).map(lineOf).join('');
  return `${before}${BEGIN}\n${list}\n${END}${after}`;
}

function lineOf({ name, type, labels = [], help }: MetricSpec): string {
  const by = labels.length === 0 ? '' : ` by ${labels.map((label) => `\`${label}\``).join(', ')}`;
  return `- \`${name}\`, ${type}${by}.\n  ${help}.\n`;
}
