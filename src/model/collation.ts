/** Collation: what Postgres says of the order and the letters of text, as far as a filter of ours can follow it. */
export interface Collation {
  /** As it is told to whoever asks for more. */
  readonly name: string;
  /** `bytes`: by the bytes of UTF-8, that is by code points. */
  readonly order: 'bytes' | 'language';
  /** Which letters have an upper and a lower case: those of ASCII, or all of Unicode's that are one letter in each. */
  readonly cases: 'ascii' | 'unicode' | 'unknown';
  /** Whether texts are equal only where their bytes are. */
  readonly isDeterministic: boolean;
}
