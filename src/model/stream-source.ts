/**
 * StreamSource: whose changes a log holds. A slot belongs to one database of one system, and an LSN means something on
 * one timeline only: where one of the four differs, nothing that one log says of its stream holds for the other.
 */
export interface StreamSource {
  readonly systemId: string;
  readonly timeline: string;
  readonly database: string;
  readonly slot: string;
  /** Which version of the publication it came through, as Postgres numbers the rows of its catalogue; undefined where nobody noted it. */
  readonly publication?: string;
}
