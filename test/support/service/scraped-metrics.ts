/** What `/metrics` tells, by metric and labels as they stand there. */

export type ScrapedMetrics = ReadonlyMap<string, number>;

/** @param url of the metrics of a service. */
export async function scrape(url: string | undefined): Promise<ScrapedMetrics> {
  const response = await fetch(url ?? '');
  return parsedMetrics(await response.text());
}

/** By `name{label="value"}`. */
export function parsedMetrics(text: string): ScrapedMetrics {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** What stands under each of these, and undefined where nothing does. */
export function pick(metrics: ScrapedMetrics, keys: readonly string[]): Readonly<Record<string, number | undefined>> {
  return Object.fromEntries(keys.map((key) => [key, metrics.get(key)]));
}

/** Scrapes until a metric has that value: what is counted a moment later than a client sees it. */
export async function scrapeUntil(url: string | undefined, key: string, value: number): Promise<ScrapedMetrics> {
  for (;;) {
    const metrics = await scrape(url);
    if (metrics.get(key) === value) return metrics;
  }
}
