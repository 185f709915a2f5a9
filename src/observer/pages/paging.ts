/** Paging: a part of a sorted list. `after` is how many were shown: while a list changes it may show one twice, or leave one out. */
export interface PageAsked {
  readonly limit: number;
  /** How many to leave out. */
  readonly after: number;
}

export interface Paged<Row> {
  readonly rows: readonly Row[];
  /** Null behind the last page. */
  readonly next: string | null;
}

export function page<Row>(sorted: readonly Row[], { limit, after }: PageAsked): Paged<Row> {
  const end = after + limit;
  return { rows: sorted.slice(after, end), next: end < sorted.length ? String(end) : null };
}
